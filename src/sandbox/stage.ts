import { DEFAULT_ACCOUNTS, type SandboxAccounts } from './accounts.ts';
import { Files } from './files.ts';
import { Holds } from './holds.ts';
import { addSampleItems, Items } from './items.ts';
import { OneTimeValues } from './one-time-values.ts';
import type { Podio } from './podio.ts';
import { RateLimit } from './rate-limit.ts';
import { Rules } from './rules.ts';
import { Seen } from './seen.ts';
import { Tokens } from './tokens.ts';

/** How a sandbox differs from the usual one. */
export interface SandboxOptions {
  /** 0, the default, takes a free port. */
  readonly port?: number;
  /** Life of access tokens in seconds, 28800 by default; fractions and 0 are allowed. */
  readonly expiresIn?: number;
  /** A refresh token that comes back used ends every token of its login. Off by default. */
  readonly endFamilyOnReplay?: boolean;
  /** Whether a refresh brings another refresh token and uses up the old one. On by default. */
  readonly rotate?: boolean;
  /** A refresh is answered without a refresh token; the old one stays good. Off by default. */
  readonly omitRefreshToken?: boolean;
  /** Calls in a window for each app or user and API key, 1000 by default as documented. */
  readonly callLimit?: number;
  /** Requests to the token endpoints in a window, all together; without end by default. */
  readonly tokenLimit?: number;
  /** Length of a window in seconds, 3600 by default, and the wait that a 420 names. Fractions are allowed. */
  readonly waitSeconds?: number;
  /** Turns two-step verification on for password logins; this code is the right one. */
  readonly otp?: string;
  /** The id of the first item of the first app, 123 by default. */
  readonly itemId?: number;
  /** Items in the first app at the start, 120 by default. */
  readonly items?: number;
  /** Each kind that is named replaces the default ones. */
  readonly accounts?: Partial<SandboxAccounts>;
}

/** A Podio, and what the tests see and steer behind it. */
export interface Stage {
  readonly podio: Podio;
  readonly seen: Seen;
  readonly rules: Rules;
  readonly holds: Holds;
}

/** Sets up a sandbox that is reached at `origin`. */
export function setUpStage(options: SandboxOptions, origin: string): Stage {
  return { podio: newPodio(options, origin), seen: new Seen(), rules: new Rules(), holds: new Holds() };
}

function newPodio(options: SandboxOptions, origin: string): Podio {
  const accounts = { ...DEFAULT_ACCOUNTS, ...options.accounts };
  const { callLimit = 1000, tokenLimit = Number.POSITIVE_INFINITY, waitSeconds = 3600 } = options;
  return {
    origin,
    accounts,
    tokens: newTokens(options),
    codes: new OneTimeValues(),
    secondFactors: new OneTimeValues(),
    otp: options.otp,
    calls: new RateLimit({ limit: callLimit, waitSeconds }),
    tokenCalls: new RateLimit({ limit: tokenLimit, waitSeconds }),
    items: sampleItems(accounts, options),
    files: new Files(),
  };
}

function newTokens(options: SandboxOptions): Tokens {
  const { expiresIn = 28_800, rotate = true, omitRefreshToken = false, endFamilyOnReplay = false } = options;
  return new Tokens({ expiresIn, rotate, omitRefreshToken, endFamilyOnReplay });
}

function sampleItems({ apps }: SandboxAccounts, { itemId = 123, items: count = 120 }: SandboxOptions): Items {
  const items = new Items();
  addSampleItems(items, { appIds: apps.map(({ id }) => Number(id)), firstItemId: itemId, count });
  return items;
}

import type { SandboxAccounts } from './accounts.ts';
import type { Files } from './files.ts';
import type { Items } from './items.ts';
import type { OneTimeValues } from './one-time-values.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Login, Tokens } from './tokens.ts';

/** A login granted on the authorize page, waiting to be fetched with the code. */
export interface AuthorizationCode {
  readonly login: Login;
  readonly redirectUri: string;
}

/** Everything that an operation may read and change: the state of one sandbox. */
export interface Podio {
  readonly accounts: SandboxAccounts;
  readonly tokens: Tokens;
  readonly codes: OneTimeValues<AuthorizationCode>;
  /** Password logins that wait for the second factor. */
  readonly secondFactors: OneTimeValues<Login>;
  /** The right one-time code; undefined where two-step verification is off. */
  readonly otp: string | undefined;
  readonly calls: RateLimit;
  readonly tokenCalls: RateLimit;
  readonly items: Items;
  readonly files: Files;
  /** The sandbox's own origin, for links. */
  readonly origin: string;
}

import { failureOf } from '../client/failures.ts';
import type { PodioClient } from '../client/podio-client.ts';
import { Failure, NotLoggedInError } from '../errors.ts';
import { readWhole } from '../http/decoding.ts';
import { formatAuthType } from '../values/identity.ts';
import { parseJsonObject } from '../values/json.ts';
import { loginCommand } from '../values/login-command.ts';
import { expiresAt, isEmpty, isUsable, type PodioOAuth, refreshEndsAt } from '../values/podio-oauth.ts';
import { quoted } from '../values/quoted.ts';
import type { AuthType } from '../values/session-manager.ts';
import type { Context, MeantIdentity } from './context.ts';
import { exitCodeOf } from './exit-codes.ts';

/** What is known of one identity; `status --json` prints it as it is. Times are ISO 8601, UTC. */
export interface IdentityReport {
  readonly identity: string;
  readonly name: string | undefined;
  readonly default: boolean;
  readonly type: AuthType['type'];
  /** What Podio calls it: the name of the app or of the user. */
  readonly who: string | undefined;
  readonly api_url: string;
  readonly client_id: string;
  readonly session_manager: string;
  readonly place: string | undefined;
  readonly access_ends_at: string | undefined;
  readonly refresh_ends_at: string | undefined;
  /** Whether a call would work, as far as was asked. */
  readonly usable: boolean;
  readonly checked: boolean;
  readonly problem: string | undefined;
  readonly hint: string | undefined;
  readonly exit: number;
}

/** What was found out before trouble, if any, put an end to it. */
interface Found {
  place?: string;
  oauth?: PodioOAuth;
  who?: string | undefined;
}

/** Looks at the session of an identity and, unless `offline`, asks Podio. Trouble is part of the report. */
export async function reportOn(
  context: Context,
  identity: MeantIdentity,
  offline: boolean,
): Promise<IdentityReport> {
  const found: Found = {};
  try {
    const { client } = await context.clientFor(identity);
    found.place = client.place;
    found.oauth = await client.stored();
    checkStored(identity, found.oauth, context.io.now());
    if (!offline) found.who = await whoIs(client, identity, context.io.signal);
    if (!offline) found.oauth = await client.stored();
    return { ...aboutOf(context, identity, found), ...FINE, checked: !offline };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return {
      ...aboutOf(context, identity, found),
      ...troubleOf(context, identity, error),
      checked: !offline,
    };
  }
}

function aboutOf(context: Context, identity: MeantIdentity, { who, place, oauth }: Found) {
  const has = oauth !== undefined && !isEmpty(oauth);
  return {
    identity: formatAuthType(identity),
    name: identity.name,
    default: isDefault(context, identity),
    type: identity.type,
    who,
    api_url: identity.apiUrl,
    client_id: identity.clientId,
    session_manager: identity.manager ?? 'none yet',
    place,
    access_ends_at: has ? iso(expiresAt(oauth)) : undefined,
    refresh_ends_at: has ? iso(refreshEndsAt(oauth)) : undefined,
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

/** Whether this is the identity that serves where none is named. */
export function isDefault({ register, settings }: Context, identity: MeantIdentity): boolean {
  return identity.apiUrl === settings.apiUrl && register.isDefault(identity);
}

const FINE = { usable: true, problem: undefined, hint: undefined, exit: 0 };

function troubleOf({ settings }: Context, { apiUrl }: MeantIdentity, error: Failure) {
  // At another API than this invocation's, the command has to say so.
  const isElsewhere = apiUrl !== settings.apiUrl && /\bpodio login\b/.test(error.hint ?? '');
  const hint = isElsewhere ? `${error.hint} --api-url ${quoted(apiUrl)}` : error.hint;
  const { exit, hint: usual } = exitCodeOf(error);
  return { usable: false, problem: error.message, hint: hint ?? usual, exit };
}

function checkStored(identity: MeantIdentity, oauth: PodioOAuth, now: number): void {
  const hint = `log in again: ${loginCommand(identity)}`;
  if (isEmpty(oauth)) throw new NotLoggedInError('no session is stored', { hint });
  if (!isUsable(oauth, now)) throw new NotLoggedInError('the session has ended', { hint });
}

const LONGEST_ANSWER = 1024 * 1024;
const LONGEST_NAME = 300;
// One that Podio says nothing of must not keep the others waiting for a minute.
const PATIENCE_MS = 10_000;
// The token was taken; that the app itself is gone or closed is another matter.
const NO_NAME = [403, 404, 410];

/** What Podio calls whoever the session belongs to; undefined where it takes the token and does not say. */
async function whoIs(
  client: PodioClient,
  identity: AuthType,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = identity.type === 'app' ? `/app/${encodeURIComponent(identity.identifier)}` : '/user/status';
  const answer = await client.call({ method: 'GET', path, timeoutMs: PATIENCE_MS, signal });
  const text = (await readWhole(answer.body, LONGEST_ANSWER, () => failureOf(answer, ''))).toString();
  if (answer.status < 300) return nameIn(text, identity.type);
  if (NO_NAME.includes(answer.status)) return undefined;
  throw failureOf(answer, text, `log in again: ${loginCommand(identity)}`);
}

function nameIn(text: string, type: AuthType['type']): string | undefined {
  const answer = parseJsonObject(text) ?? {};
  const name = type === 'app' ? (nameOf(answer.config) ?? nameOf(answer)) : nameOf(answer.profile);
  return name?.slice(0, LONGEST_NAME);
}

function nameOf(value: unknown): string | undefined {
  const { name }: { name?: unknown } = Object(value);
  return typeof name === 'string' && name !== '' ? name : undefined;
}

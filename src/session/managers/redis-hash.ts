import { createHash } from 'node:crypto';
import { formatAuthType, type Identity, isSameIdentity } from '../../values/identity.ts';
import { EMPTY_OAUTH, isEmpty, type PodioOAuth, type PodioRef } from '../../values/podio-oauth.ts';
import { DamagedRecordError, decodeRecord, recordIdentity } from '../../values/record.ts';

/** A hash as Redis answers it; no fields where there is none. */
export type Fields = Readonly<Record<string, string>>;

/** The fields in a list that names each before its value, as a script answers them. */
export function fieldsOf(list: unknown): Fields {
  const words = Array.isArray(list) ? list.map(String) : [];
  const pairs = words.flatMap((word, at) => (at % 2 === 0 ? [[word, words[at + 1] ?? '']] : []));
  return Object.fromEntries(pairs);
}

/** What lies in Redis for one identity: the hash that a PHP program shares, and our own beside it. */
export interface Snapshot {
  readonly shared: Fields;
  readonly own: Fields;
}

/**
 * What a snapshot means. `repair`: another program has put something in the shared hash that is older than our own
 * copy, or nothing. `adopt`: it has put a newer session there.
 */
export interface Reading {
  readonly oauth: PodioOAuth;
  readonly todo: 'nothing' | 'repair' | 'adopt';
}

/** Names an access token without telling it; the scripts do the same. */
export function markOf(accessToken: string): string {
  return createHash('sha1').update(accessToken).digest('hex').slice(0, 16);
}

/** The mark of what lies there; empty where nothing does. */
export function markIn({ shared, own }: Snapshot): string {
  return own.mark ?? (shared.access_token ? markOf(shared.access_token) : '');
}

/** The fields of the shared hash: those that Podio's PHP example writes, and those beside them. */
export function sharedFields(oauth: PodioOAuth, { clientId, apiUrl }: Identity): string[] {
  const { accessToken, refreshToken, expiresIn, ref, scope, obtainedAt } = oauth;
  const fields = {
    access_token: accessToken,
    refresh_token: refreshToken,
    expires_in: expiresIn,
    ref_type: ref?.type ?? '',
    ref_id: ref?.id ?? '',
    scope,
    obtained_at: obtainedAt,
    client_id: clientId,
    api_url: apiUrl,
    version: 1,
  };
  return Object.entries(fields).flatMap(([name, value]) => [name, String(value)]);
}

/**
 * Tells what is stored from what another program left behind. A pair that we have seen replaced, and an emptied
 * hash beside our own copy, are what a program leaves that lost a race or wrote at its end what it had read at its
 * start. A pair that we never saw is newer than ours; when it was issued nobody knows.
 * @throws {DamagedRecordError} where what is stored cannot be a session of this identity.
 */
export function read({ shared, own }: Snapshot, identity: Identity): Reading {
  const kept = own.record === undefined ? EMPTY_OAUTH : decode(own.record, identity);
  const found = foundIn(shared, kept);
  if (found.accessToken === '') return { oauth: kept, todo: isEmpty(kept) ? 'nothing' : 'repair' };
  if (isSamePair(found, kept)) return { oauth: kept, todo: 'nothing' };
  const isOld =
    found.accessToken === kept.accessToken || own.spent?.split(',').includes(markOf(found.accessToken));
  if (isOld) return { oauth: kept, todo: 'repair' };
  return { oauth: found, todo: isEmpty(kept) ? 'nothing' : 'adopt' };
}

/** Whose session it is, in words, where it is not this identity's; undefined where it is, or where nobody says. */
export function foreignOwner({ shared, own }: Snapshot, identity: Identity): string | undefined {
  const owner = recordIdentity(own.record ?? '');
  if (owner !== undefined) return isSameIdentity(owner, identity) ? undefined : inWords(owner);
  const { client_id: clientId = identity.clientId, api_url: apiUrl = identity.apiUrl } = shared;
  if (clientId !== identity.clientId || apiUrl !== identity.apiUrl)
    return inWords({ ...identity, clientId, apiUrl });
  const { ref_type: type, ref_id: id } = shared;
  const isOther = identity.type === 'app' && type && (type !== 'app' || id !== identity.identifier);
  return isOther ? `the ${type} ${id}` : undefined;
}

function decode(record: string, identity: Identity): PodioOAuth {
  try {
    return decodeRecord(record, identity);
  } catch (error) {
    if (!(error instanceof DamagedRecordError)) throw error;
    throw new DamagedRecordError(error.message, { hint: LOG_IN_AGAIN });
  }
}

const LOG_IN_AGAIN = 'log in again: podio login';

function inWords(identity: Identity): string {
  return `${formatAuthType(identity)} with API key ${identity.clientId} at ${identity.apiUrl}`;
}

function isSamePair(a: PodioOAuth, b: PodioOAuth): boolean {
  return a.accessToken === b.accessToken && a.refreshToken === b.refreshToken;
}

function foundIn(shared: Fields, kept: PodioOAuth): PodioOAuth {
  return {
    ...EMPTY_OAUTH,
    accessToken: token(shared, 'access_token'),
    refreshToken: token(shared, 'refresh_token'),
    expiresIn: seconds(shared.expires_in),
    ref: refOf(shared),
    scope: kept.scope || (shared.scope ?? ''),
    ...(kept.clientSecret !== undefined && { clientSecret: kept.clientSecret }),
    ...(kept.appToken !== undefined && { appToken: kept.appToken }),
  };
}

// A token with a control character in it would be a header of somebody else's making.
function token(shared: Fields, field: string): string {
  const value = shared[field] ?? '';
  if (/^[\x20-\x7e]*$/.test(value)) return value;
  throw new DamagedRecordError(`the stored session is damaged at "${field}"`, { hint: LOG_IN_AGAIN });
}

function seconds(text = ''): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

function refOf({ ref_type: type = '', ref_id: id = '' }: Fields): PodioRef | undefined {
  return type !== '' && /^\d{1,15}$/.test(id) ? { type, id: Number(id) } : undefined;
}

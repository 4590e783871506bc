import { UsageError } from '../errors.ts';
import { MANAGER_NAMES } from '../session/managers/index.ts';
import type { KnownIdentity } from '../session/register.ts';
import { authType, type Identity, isShortName } from '../values/identity.ts';
import { parseJsonObject } from '../values/json.ts';
import { apiOrigin } from '../values/origin.ts';
import { expiresAt, isEmpty, type PodioOAuth } from '../values/podio-oauth.ts';
import { DamagedRecordError, decodeUnsealed, encodeRecord, recordIdentity } from '../values/record.ts';

/** A session, and whose it is. */
export interface StoredSession {
  readonly known: KnownIdentity;
  readonly oauth: PodioOAuth;
}

/** The JSON that `sessions export` writes; the tokens only where they are revealed. */
export function encodeExport(stored: readonly StoredSession[], reveal: boolean): string {
  const sessions = stored
    .filter(({ oauth }) => !isEmpty(oauth))
    .map(({ known, oauth }) => ({ ...about(known), ...(reveal ? revealed(known, oauth) : times(oauth)) }));
  return `${JSON.stringify({ version: 1, sessions }, undefined, 2)}\n`;
}

function about({ apiUrl, clientId, type, identifier, name, manager }: KnownIdentity) {
  return { api_url: apiUrl, client_id: clientId, type, identifier, name, session_manager: manager };
}

function revealed(known: KnownIdentity, oauth: PodioOAuth): object {
  return { record: parseJsonObject(encodeRecord(oauth, known)) };
}

function times(oauth: PodioOAuth): object {
  return { obtained_at: oauth.obtainedAt, expires_at: expiresAt(oauth) };
}

/** Reads what `encodeExport` wrote with the tokens in it. @throws {UsageError} for anything else. */
export function readExport(text: string): StoredSession[] {
  const { version, sessions } = parseJsonObject(text) ?? {};
  if (version !== 1 || !Array.isArray(sessions))
    throw new UsageError('this is not what podio sessions export writes');
  return sessions.map(readSession);
}

function readSession(entry: unknown): StoredSession {
  const { record, name, session_manager: manager }: Record<string, unknown> = { ...Object(entry) };
  if (record === undefined) {
    throw new UsageError('the export holds no tokens', {
      hint: 'make it with podio sessions export --reveal -o FILE',
    });
  }
  const text = JSON.stringify(record);
  const known = { ...identityIn(text), manager: plainManager(manager) };
  return {
    known: name === undefined ? known : { ...known, name: shortName(name) },
    oauth: decoded(text, known),
  };
}

// What a login would refuse, an export made by hand cannot bring in either.
function identityIn(text: string): Identity {
  const identity = recordIdentity(text);
  if (identity === undefined) throw new UsageError('a session in the export is damaged');
  const { apiUrl, type, identifier } = identity;
  if (apiOrigin(apiUrl) !== apiUrl)
    throw new UsageError(`"${apiUrl}" in the export is not the origin of an API`);
  return { ...identity, ...authType(type, identifier) };
}

function shortName(name: unknown): string {
  if (typeof name === 'string' && isShortName(name)) return name;
  throw new UsageError(`${JSON.stringify(name)} in the export cannot be the name of an identity`);
}

// A file that somebody sent must not choose what is run here, nor where tokens go.
function plainManager(manager: unknown): string {
  return MANAGER_NAMES.find((name) => name === manager) ?? 'file';
}

function decoded(text: string, known: KnownIdentity): PodioOAuth {
  try {
    return decodeUnsealed(text, known);
  } catch (error) {
    if (error instanceof DamagedRecordError) throw new UsageError(`${error.message}, in the export`);
    throw error;
  }
}

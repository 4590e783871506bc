import { StoreError } from '../errors.ts';
import { hashOf } from './hash.ts';
import { type Identity, identityKey } from './identity.ts';
import { parseJsonObject } from './json.ts';
import { EMPTY_OAUTH, expiresAt, type PodioOAuth, type PodioRef } from './podio-oauth.ts';
import { AUTH_TYPES } from './session-manager.ts';

const VERSION = 1;

/** The bytes of a record cannot be one: cut, damaged, or written for another identity. */
export class DamagedRecordError extends StoreError {}

/** Writes one session as the JSON line that the file and the keychain keep, wire names inside; ASCII only. */
export function encodeRecord(oauth: PodioOAuth, identity: Identity, parent?: string): string {
  const text = JSON.stringify({
    version: VERSION,
    api_url: identity.apiUrl,
    client_id: identity.clientId,
    type: identity.type,
    identifier: identity.identifier,
    access_token: oauth.accessToken,
    refresh_token: oauth.refreshToken,
    expires_in: oauth.expiresIn,
    obtained_at: oauth.obtainedAt,
    expires_at: expiresAt(oauth),
    scope: oauth.scope,
    ref: oauth.ref,
    client_secret: oauth.clientSecret,
    app_token: oauth.appToken,
    parent,
    seal: sealOf(oauth, identity),
  });
  return text.replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * Reads what `encodeRecord` wrote for this identity, field by field: nothing else in the text gets through.
 * @throws {DamagedRecordError} where it is no such record; the message holds none of its content.
 * @throws {StoreError} where a newer podio wrote it.
 */
export function decodeRecord(text: string, identity: Identity): PodioOAuth {
  const oauth = decodeUnsealed(text, identity);
  if (parseRecord(text).seal === sealOf(oauth, identity)) return oauth;
  throw new DamagedRecordError('the stored session is damaged');
}

/** Whether a text is all of a record of this identity: one that was cut under way is none. */
export function isWholeRecord(text: string, identity: Identity): boolean {
  try {
    decodeRecord(text, identity);
    return true;
  } catch {
    return false;
  }
}

/** As `decodeRecord`, for a record that has been in people's hands: they may have changed what it says. */
export function decodeUnsealed(text: string, identity: Identity): PodioOAuth {
  const record = parseRecord(text);
  if (typeof record.version === 'number' && record.version > VERSION) {
    throw new StoreError('the session was stored by a newer podio', {
      hint: 'update podio: npm i -g podio-cli',
    });
  }
  if (record.version !== VERSION) throw new DamagedRecordError('the stored session is damaged');
  if (!belongsTo(record, identity)) throw new DamagedRecordError("the stored session is another identity's");
  return decodeOAuth(record);
}

// Holds together what is fatal apart: spliced, a record would send one identity's tokens in the name of another.
function sealOf({ accessToken, refreshToken }: PodioOAuth, identity: Identity): string {
  return hashOf(JSON.stringify([identityKey(identity), accessToken, refreshToken])).slice(0, 16);
}

/** Whom a record was written for, where it says so. */
export function recordIdentity(text: string): Identity | undefined {
  const { api_url: apiUrl, client_id: clientId, type, identifier } = parseJsonObject(text) ?? {};
  const known = AUTH_TYPES.find((name) => name === type);
  if (known === undefined || typeof identifier !== 'string') return undefined;
  return typeof apiUrl === 'string' && typeof clientId === 'string'
    ? { apiUrl, clientId, type: known, identifier }
    : undefined;
}

/** The mark in a record that names the refresh token it was got with; empty where it was got by a login. */
export function recordParent(text: string): string {
  return optionalString(parseRecord(text), 'parent') ?? '';
}

function parseRecord(text: string): Record<string, unknown> {
  const record = parseJsonObject(text);
  if (record === undefined) throw new DamagedRecordError('the stored session is damaged');
  return record;
}

function belongsTo(record: Record<string, unknown>, identity: Identity): boolean {
  return (
    record.api_url === identity.apiUrl &&
    record.client_id === identity.clientId &&
    record.type === identity.type &&
    record.identifier === identity.identifier
  );
}

/** Reads the fields of a session from their names on the wire. @throws {DamagedRecordError} */
export function decodeOAuth(record: Record<string, unknown>): PodioOAuth {
  return {
    ...EMPTY_OAUTH,
    accessToken: string(record, 'access_token'),
    refreshToken: string(record, 'refresh_token'),
    scope: string(record, 'scope'),
    ref: decodeRef(record.ref),
    expiresIn: number(record, 'expires_in', MOST_MS / 1000),
    obtainedAt: number(record, 'obtained_at', MOST_MS),
    clientSecret: optionalString(record, 'client_secret'),
    appToken: optionalString(record, 'app_token'),
  };
}

function decodeRef(value: unknown): PodioRef | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object') throw new DamagedRecordError('the stored session is damaged at "ref"');
  const ref: Record<string, unknown> = { ...value };
  return { type: string(ref, 'type'), id: number(ref, 'id') };
}

function string(record: Record<string, unknown>, field: string): string {
  const value = optionalString(record, field);
  if (value === undefined) throw new DamagedRecordError(`the stored session is damaged at "${field}"`);
  return value;
}

// A token with a control character in it would be a header of somebody else's making.
function optionalString(record: Record<string, unknown>, field: string): string | undefined {
  const value = Object.hasOwn(record, field) ? record[field] : undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'string' && !/^(access|refresh)_token$/.test(field)) return value;
  if (typeof value === 'string' && !/[^\x20-\x7e]/.test(value)) return value;
  throw new DamagedRecordError(`the stored session is damaged at "${field}"`);
}

// Added up, two of them are still a time that a Date can hold.
const MOST_MS = 4e15;

function number(record: Record<string, unknown>, field: string, most = Number.MAX_VALUE): number {
  const value = Object.hasOwn(record, field) ? record[field] : undefined;
  if (typeof value === 'number' && Math.abs(value) <= most) return value;
  throw new DamagedRecordError(`the stored session is damaged at "${field}"`);
}

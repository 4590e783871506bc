import { UsageError } from '../errors.ts';
import { hashOf } from './hash.ts';
import { AUTH_TYPES, type AuthType, type SessionScope } from './session-manager.ts';

/** An auth type at one API origin with one API key: what a session belongs to. */
export interface Identity extends AuthType, SessionScope {}

/** The way people write an identity: `app:123456`, `password:ada@example.com`. */
export function formatAuthType({ type, identifier }: AuthType): string {
  return `${type}:${identifier}`;
}

/**
 * Reads what `formatAuthType` writes; undefined where the text is no such thing (a short name, say).
 * @throws {UsageError} where the type is right and the identifier cannot be one.
 */
export function parseAuthType(text: string): AuthType | undefined {
  const type = AUTH_TYPES.find((known) => text.startsWith(`${known}:`));
  return type && authType(type, text.slice(type.length + 1));
}

/**
 * An auth type whose identifier is fit to be stored and shown.
 * @throws {UsageError} where it is empty, longer than 320 characters (RFC 5321's longest address) or holds control characters.
 */
export function authType(type: AuthType['type'], identifier: string): AuthType {
  if (identifier === '') throw new UsageError(`the identifier in "${type}:" is empty`);
  if (identifier.length > 320) throw new UsageError(`the identifier of this ${type} identity is too long`);
  if (/\p{Cc}/u.test(identifier)) {
    throw new UsageError(`the identifier of this ${type} identity holds control characters`);
  }
  return { type, identifier };
}

/** Whether a text can be the short name of an identity: never one that reads as `type:identifier`. */
export function isShortName(text: string): boolean {
  return /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u.test(text);
}

/** Whether two identities are one: same API, API key, type and identifier. */
export function isSameIdentity(a: Identity, b: Identity): boolean {
  return identityKey(a) === identityKey(b);
}

/**
 * A file name for what belongs to an identity: readable in front, and a hash that tells apart whatever the
 * readable part cannot. No identifier can leave the folder or meet another's name.
 */
export function identityKey({ apiUrl, clientId, type, identifier }: Identity): string {
  const whole = JSON.stringify([apiUrl, clientId, type, identifier]);
  const key = keys.get(whole) ?? `${readable(type, identifier)}-${hashOf(whole).slice(0, 24)}`;
  keys.set(whole, key);
  return key;
}

// One call asks for the same key some ten times.
const keys = new Map<string, string>();

function readable(type: string, identifier: string): string {
  return `${type}-${identifier}`.replace(/[^A-Za-z0-9@._-]/g, '_').slice(0, 48);
}

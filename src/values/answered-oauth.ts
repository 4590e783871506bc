import { StoreError } from '../errors.ts';
import { EMPTY_OAUTH, type PodioOAuth } from './podio-oauth.ts';
import { decodeOAuth } from './record.ts';

/** The names of a PodioOAuth's fields in this program and on the wire, and what an unknown one stands for. */
const FIELDS: readonly (readonly [ours: string, wire: string, unknown: unknown])[] = [
  ['accessToken', 'access_token', ''],
  ['refreshToken', 'refresh_token', ''],
  ['scope', 'scope', ''],
  ['ref', 'ref', undefined],
  ['expiresIn', 'expires_in', 0],
  ['obtainedAt', 'obtained_at', 0],
  ['clientSecret', 'client_secret', undefined],
  ['appToken', 'app_token', undefined],
];

/**
 * What somebody else's session manager answered, as a PodioOAuth. `undefined`, `null` and `{}` say that there is no
 * session; the fields may bear their names on the wire (`access_token`), and those left out are unknown.
 * @throws {StoreError} where it is anything else; the message holds none of it.
 */
export function answeredOAuth(answer: unknown): PodioOAuth {
  if (answer === undefined || answer === null) return EMPTY_OAUTH;
  if (!isPlain(answer)) throw notAnOAuth(`with ${kindOf(answer)}`);
  const fields: Record<string, unknown> = { ...answer };
  if (Object.keys(fields).length === 0) return EMPTY_OAUTH;
  if (!['accessToken', 'access_token', 'refreshToken', 'refresh_token'].some((name) => name in fields)) {
    throw notAnOAuth('with an object that has no accessToken');
  }
  const entries = FIELDS.map(([ours, wire, unknown]) => [wire, fields[ours] ?? fields[wire] ?? unknown]);
  return decodeOAuth(withNumbers(Object.fromEntries(entries)));
}

/** In words, what kind of thing a value is: `a string`, `null`. Tells nothing of its content. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object'
    ? `an object (${value.constructor?.name ?? 'Object'})`
    : `a ${typeof value}`;
}

// An empty Map would pass for `{}`, and whoever answers one has a session to lose.
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.keys(value).length > 0 || [Object.prototype, null].includes(Object.getPrototypeOf(value));
}

// Hashes and some databases give numbers back as text, or as bigint.
function withNumbers(record: Record<string, unknown>): Record<string, unknown> {
  const { expires_in, obtained_at } = record;
  return { ...record, expires_in: numberIn(expires_in), obtained_at: numberIn(obtained_at) };
}

function numberIn(value: unknown): unknown {
  const isNumber = typeof value === 'bigint' || (typeof value === 'string' && /^\d{1,16}$/.test(value));
  return isNumber ? Number(value) : value;
}

function notAnOAuth(what: string): StoreError {
  return new StoreError(`the session manager answered ${what}, which is no PodioOAuth`, {
    hint: 'its get must answer what its set was given; sessionManagerContract of podio-cli/testing shows where it does not',
  });
}

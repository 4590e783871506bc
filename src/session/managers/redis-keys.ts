import { parseAuthType } from '../../values/identity.ts';
import type { AuthType } from '../../values/session-manager.ts';
import type { RedisUrl } from './redis-url.ts';

/** The keys of one identity, as the scripts take them: the hash that a PHP program shares, our own, the lock. */
export type Keys = readonly [shared: string, own: string, lock: string];

/** Where the session of an auth type lies: `podio_cache_TYPE_IDENTIFIER`, unless the URL says otherwise. */
export function keysOf({ key, prefix }: RedisUrl, { type, identifier }: AuthType): Keys {
  return keysAt(key ?? `${prefix}_${type}_${identifier}`);
}

/** The keys that go with a shared hash. In braces: a cluster then keeps the three in one place. */
export function keysAt(shared: string): Keys {
  const tag = /[{}]/.test(shared) ? shared : `{${shared}}`;
  return [shared, `${tag}:podio-cli`, `${tag}:podio-cli:lock`];
}

/** Where what Podio said of the rate budget is kept beside the session. */
export function limitKeyOf([, own]: Keys): string {
  return `${own}:limits`;
}

/** What SCAN finds all shared hashes by. */
export function patternOf({ prefix }: RedisUrl): string {
  return `${prefix.replace(/[[\]*?\\^-]/g, '\\$&')}_*`;
}

/** Whose session a shared hash is for, by its key; undefined where the key says nothing of the kind. */
export function authTypeIn({ prefix }: RedisUrl, shared: string): AuthType | undefined {
  const name = shared.slice(prefix.length + 1);
  const [, type, identifier] = /^(app|password|authorization_code)_(.+)$/s.exec(name) ?? [];
  return identifier === undefined || /\p{Cc}/u.test(identifier) || identifier.length > 320
    ? undefined
    : parseAuthType(`${type}:${identifier}`);
}

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type Identity, identityKey } from '../../values/identity.ts';
import { parseJsonObject } from '../../values/json.ts';
import { readOwnFile, removeFile } from '../files.ts';
import { listFolder } from '../folders.ts';
import { writeFileSafely } from '../reservation.ts';
import type { RedisLogin } from './redis-client.ts';
import { addressOf, type RedisUrl } from './redis-url.ts';

/** Where the notes lie, and what the URL and the environment say. */
export interface RedisLoginsOptions {
  readonly url: RedisUrl;
  readonly folder: string;
  readonly env?: NodeJS.ProcessEnv | undefined;
}

/**
 * Knows how to log in to a Redis: as the URL says, else as the environment does, else as the URL said that an
 * identity was logged in with. That is noted in a file for each identity, mode 0600, for nothing else that is
 * remembered of an identity may hold a password; it goes with the session.
 */
export class RedisLogins {
  readonly #options: RedisLoginsOptions;
  readonly #suffix: string;

  constructor(options: RedisLoginsOptions) {
    const hash = createHash('sha256').update(addressOf(options.url)).digest('hex').slice(0, 12);
    this.#options = options;
    this.#suffix = `.redis-${hash}.login.json`;
  }

  /** @throws {StoreError} where a note cannot be read. */
  current(): RedisLogin {
    const { url, env = process.env } = this.#options;
    const { username, password } = url;
    if (password !== undefined) return { username, password };
    const noted = this.#noted();
    const fromEnvironment = env.REDISCLI_AUTH || undefined;
    return { username: username ?? noted.username, password: fromEnvironment ?? noted.password };
  }

  /** Notes what the URL says, once a session of this identity has been stored by it. @throws {StoreError} */
  remember(identity: Identity): void {
    const { username, password } = this.#options.url;
    if (password === undefined) return;
    const [file, text] = [this.#file(identity), JSON.stringify({ version: 1, username, password })];
    if (readOwnFile(file) !== text) writeFileSafely(file, text);
  }

  /** @throws {StoreError} */
  forget(identity: Identity): void {
    removeFile(this.#file(identity));
  }

  #noted(): RedisLogin {
    const { folder } = this.#options;
    const [name] = listFolder(folder).filter((one) => one.endsWith(this.#suffix));
    const { username, password } = parseJsonObject((name && readOwnFile(join(folder, name))) || '') ?? {};
    return {
      ...(typeof username === 'string' && { username }),
      ...(typeof password === 'string' && { password }),
    };
  }

  #file(identity: Identity): string {
    return join(this.#options.folder, `${identityKey(identity)}${this.#suffix}`);
  }
}

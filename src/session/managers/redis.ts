import { createHash } from 'node:crypto';
import { StoreError } from '../../errors.ts';
import { type Identity, identityKey } from '../../values/identity.ts';
import { isEmpty, type PodioOAuth } from '../../values/podio-oauth.ts';
import { decodeRecord, encodeRecord, isWholeRecord, recordParent } from '../../values/record.ts';
import type {
  AuthType,
  IsMoot,
  LimitStore,
  Release,
  SessionManager,
  SessionScope,
} from '../../values/session-manager.ts';

import { RecoveryFile } from '../recovery.ts';
import { RedisConnection } from './redis-connection.ts';
import {
  fieldsOf,
  foreignOwner,
  markIn,
  markOf,
  type Reading,
  read,
  type Snapshot,
  sharedFields,
} from './redis-hash.ts';
import { type Keys, keysAt, keysOf, limitKeyOf } from './redis-keys.ts';
import { RedisLimits } from './redis-limits.ts';
import { listSessions } from './redis-list.ts';
import { RedisLock, type RedisLockWait } from './redis-lock.ts';
import { RedisLogins } from './redis-logins.ts';
import { ADOPT, COMMIT, FORGET, GIVE_BACK, REPAIR, RESERVE, SESSION_MS, SNAPSHOT } from './redis-scripts.ts';
import { parseRedisUrl, type RedisUrl } from './redis-url.ts';

/** Which Redis, whose sessions, and where files about them may lie. */
export interface RedisSessionManagerOptions extends SessionScope {
  /** `redis://HOST:PORT/DB?prefix=NAME`; see `parseRedisUrl` for all that it may say. */
  readonly url: string;
  /** An absolute path, for recovery files and a password that the URL names; made where it is missing, mode 0700. */
  readonly folder: string;
  /** `REDISCLI_AUTH` is the password where the URL has none. */
  readonly env?: NodeJS.ProcessEnv | undefined;
}

/** Room for the longest record, several times over. */
const RESERVED = ' '.repeat(4 * 1024);

/** A lock that is held here, and what was found under it. */
interface Holding {
  readonly lock: RedisLock;
  /** Names the token that the reserved place is for; empty where there was no session. */
  parent: string;
}

/**
 * Keeps each session in a hash of Redis, in the form that Podio's PHP example reads and writes, and a copy of our own
 * beside it: by that, what another program put there is told from what it left behind when it lost a race. Writers on
 * all machines take turns. A session that was renewed and that Redis then does not take is kept in a recovery file.
 */
export class RedisSessionManager implements SessionManager {
  readonly #options: RedisSessionManagerOptions;
  readonly #url: RedisUrl;
  readonly #logins: RedisLogins;
  readonly #connection: RedisConnection;
  readonly #limits: RedisLimits;
  readonly #held = new Map<string, Holding>();

  /** @throws {UsageError} where the URL is none of Redis. */
  constructor(options: RedisSessionManagerOptions) {
    const url = parseRedisUrl(options.url);
    const logins = new RedisLogins({ ...options, url });
    this.#options = options;
    this.#url = url;
    this.#logins = logins;
    this.#connection = new RedisConnection({ url, login: () => logins.current() });
    this.#limits = new RedisLimits({ connection: this.#connection });
  }

  get apiUrl(): string {
    return this.#options.apiUrl;
  }

  async get(authType: AuthType): Promise<PodioOAuth> {
    const identity = this.#identity(authType);
    const rescued = this.#recovery(identity).read();
    if (rescued !== undefined) return this.#takeBack(rescued, identity);
    return this.#settled(identity);
  }

  /** @throws {StoreError} naming the recovery file, where Redis did not take the successor of a session. */
  async set(oauth: PodioOAuth, authType: AuthType): Promise<void> {
    const identity = this.#identity(authType);
    const release = this.#held.has(this.#keys(identity)[0]) ? undefined : await this.lock(authType);
    try {
      if (isEmpty(oauth)) await this.#forget(identity);
      else await this.#write(oauth, identity);
    } finally {
      await release?.();
    }
  }

  async list(): Promise<AuthType[]> {
    const snapshotAt = (shared: string) => this.#snapshot(keysAt(shared));
    return listSessions({ connection: this.#connection, url: this.#url, scope: this.#options, snapshotAt });
  }

  async lock(authType: AuthType, isMoot?: IsMoot): Promise<Release> {
    return this.#lock(this.#identity(authType), { isMoot });
  }

  /** Writes as much as the next session will need, where it will be. @throws {StoreError} where that fails, or the keys are another's. */
  async reserve(authType: AuthType): Promise<Release> {
    const identity = this.#identity(authType);
    const snapshot = await this.#checked(identity);
    const holding = this.#held.get(this.#keys(identity)[0]);
    if (holding !== undefined) {
      if (!(await holding.lock.extend())) throw overtaken(this.place(authType));
      holding.parent = markIn(snapshot);
    }
    await this.#run(RESERVE, identity, RESERVED);
    return () => this.#giveBack(identity);
  }

  place(authType: AuthType): string {
    return `Redis at ${this.#connection.address} (${this.#keys(this.#identity(authType))[0]})`;
  }

  limits(authType: AuthType): LimitStore {
    return this.#limits.at(limitKeyOf(this.#keys(this.#identity(authType))));
  }

  async close(): Promise<void> {
    await this.#limits.settled();
    await this.#connection.close();
  }

  async #settled(identity: Identity): Promise<PodioOAuth> {
    const snapshot = await this.#checked(identity);
    const reading = read(snapshot, identity);
    // Whoever can only read (a replica, say) is answered all the same.
    if (reading.todo !== 'nothing') await this.#settle(snapshot, reading, identity).catch(ignoreStoreError);
    return reading.oauth;
  }

  #settle({ shared, own }: Snapshot, { oauth, todo }: Reading, identity: Identity): Promise<unknown> {
    const found = [shared.access_token ?? '', own.mark ?? ''];
    if (todo === 'adopt')
      return this.#run(ADOPT, identity, ...found, encodeRecord(oauth, identity), markOf(oauth.accessToken));
    return this.#run(REPAIR, identity, ...found, ...(isEmpty(oauth) ? [] : sharedFields(oauth, identity)));
  }

  async #write(oauth: PodioOAuth, identity: Identity): Promise<void> {
    const parent = this.#held.get(this.#keys(identity)[0])?.parent ?? '';
    const recovery = this.#recovery(identity);
    try {
      await this.#checked(identity);
      await this.#commit(oauth, identity);
    } catch (error) {
      if (parent === '') throw error;
      throw recovery.rescue(encodeRecord(oauth, identity, parent), error);
    }
    recovery.remove();
    this.#logins.remember(identity);
  }

  /** Where somebody who had the lock after us has stored a session, that one is newer and stays. */
  async #commit(oauth: PodioOAuth, identity: Identity): Promise<void> {
    const [fence, ttl] = [this.#fence(identity), String(SESSION_MS)];
    const record = [encodeRecord(oauth, identity), markOf(oauth.accessToken)];
    await this.#run(COMMIT, identity, fence, ttl, ...record, ...sharedFields(oauth, identity));
  }

  async #forget(identity: Identity): Promise<void> {
    const isForeign = foreignOwner(await this.#snapshot(this.#keys(identity)), identity) !== undefined;
    const done =
      isForeign || (await this.#run(FORGET, identity, this.#fence(identity), String(SESSION_MS))) === 1;
    if (!done) throw overtaken(this.place(identity));
    this.#recovery(identity).remove();
    this.#logins.forget(identity);
  }

  /** Answers the rescued session, and moves it to Redis if that works again, unless a newer one is there. */
  async #takeBack(rescued: string, identity: Identity): Promise<PodioOAuth> {
    const oauth = decodeRecord(rescued, identity);
    try {
      const release = await this.#lock(identity, { timeoutMs: 0 });
      await this.#returnToRedis(identity).finally(release);
      return await this.#settled(identity);
    } catch (error) {
      ignoreStoreError(error);
      return oauth;
    }
  }

  async #returnToRedis(identity: Identity): Promise<void> {
    const recovery = this.#recovery(identity);
    const record = recovery.read();
    if (record === undefined) return;
    const mark = markIn(await this.#checked(identity));
    const isNewest = ['', recordParent(record)].includes(mark);
    if (isNewest) await this.#commit(decodeRecord(record, identity), identity);
    recovery.remove();
  }

  async #lock(identity: Identity, wait: RedisLockWait): Promise<Release> {
    const keys = this.#keys(identity);
    const lock = await RedisLock.acquire({ connection: this.#connection, keys, ...wait });
    if (lock === undefined) return () => undefined;
    try {
      this.#recovery(identity).adopt((record) => isWholeRecord(record, identity));
    } catch (error) {
      await lock.release();
      throw error;
    }
    this.#held.set(keys[0], { lock, parent: '' });
    return async () => {
      this.#held.delete(keys[0]);
      await lock.release();
    };
  }

  async #giveBack(identity: Identity): Promise<void> {
    await this.#run(GIVE_BACK, identity).catch(ignoreStoreError);
  }

  #fence(identity: Identity): string {
    return String(this.#held.get(this.#keys(identity)[0])?.lock.fence ?? 0);
  }

  #run(script: string, identity: Identity, ...values: string[]): Promise<unknown> {
    const keys = this.#keys(identity);
    return this.#connection.ask((client) => client.eval(script, keys.length, ...keys, ...values), keys[0]);
  }

  async #snapshot(keys: Keys): Promise<Snapshot> {
    const answer = await this.#connection.ask(
      (client) => client.eval(SNAPSHOT, keys.length, ...keys),
      keys[0],
    );
    const [shared, own] = Array.isArray(answer) ? answer : [];
    return { shared: fieldsOf(shared), own: fieldsOf(own) };
  }

  /** What lies there. @throws {StoreError} where that is another identity's: its tokens must not be sent in this one's name. */
  async #checked(identity: Identity): Promise<Snapshot> {
    const snapshot = await this.#snapshot(this.#keys(identity));
    const owner = foreignOwner(snapshot, identity);
    if (owner === undefined) return snapshot;
    throw new StoreError(`${this.place(identity)} holds the session of ${owner}`, {
      hint: 'keep the two apart: add ?prefix=NAME to the URL of one of them',
    });
  }

  #identity({ type, identifier }: AuthType): Identity {
    return { apiUrl: this.#options.apiUrl, clientId: this.#options.clientId, type, identifier };
  }

  #keys(authType: AuthType): Keys {
    return keysOf(this.#url, authType);
  }

  #recovery(identity: Identity): RecoveryFile {
    const place = [this.#connection.address, this.#keys(identity)[0]];
    const hash = createHash('sha256').update(JSON.stringify(place)).digest('hex').slice(0, 12);
    return new RecoveryFile({ folder: this.#options.folder, name: `${identityKey(identity)}.redis-${hash}` });
  }
}

function overtaken(place: string): StoreError {
  return new StoreError(`another process has taken over the session in ${place} meanwhile`, {
    hint: 'try again',
  });
}

function ignoreStoreError(error: unknown): void {
  if (!(error instanceof StoreError)) throw error;
}

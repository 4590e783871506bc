import { StoreError } from '../../errors.ts';
import { formatAuthType, type Identity, identityKey } from '../../values/identity.ts';
import { EMPTY_OAUTH, isEmpty, type PodioOAuth } from '../../values/podio-oauth.ts';
import { DamagedRecordError, decodeRecord, encodeRecord, isWholeRecord } from '../../values/record.ts';
import type { AuthType, Release, SessionManager, SessionScope } from '../../values/session-manager.ts';
import { ensureOwnFolder } from '../folders.ts';
import { Keychain } from '../keychain.ts';
import { RecoveryFile } from '../recovery.ts';
import { KeychainIndex } from './keychain-index.ts';
import { KeychainLocks } from './keychain-locks.ts';

/** Whose sessions a KeychainSessionManager keeps, and where it notes which there are. */
export interface KeychainSessionManagerOptions extends SessionScope {
  /** An absolute path, for the index and the recovery files; made where it is missing, mode 0700. */
  readonly folder: string;
  /** An absolute path, `userLockFolder()` unless told: the locks must be the same wherever the keychain is. */
  readonly lockFolder?: string | undefined;
  readonly keychain?: Keychain | undefined;
}

/**
 * Keeps each session in an entry of the system's keychain, and notes beside it which there are: an entry that is
 * noted and not found is trouble, one that was never noted is not ours. A session that was renewed and that the
 * keychain then does not take is kept in a recovery file; while there is one, it is the newer one.
 */
export class KeychainSessionManager implements SessionManager {
  readonly #options: KeychainSessionManagerOptions;
  readonly #keychain: Keychain;
  readonly #index: KeychainIndex;
  readonly #locks: KeychainLocks;
  readonly #held = new Set<string>();

  constructor(options: KeychainSessionManagerOptions) {
    this.#options = options;
    this.#keychain = options.keychain ?? new Keychain();
    this.#index = new KeychainIndex(options);
    this.#locks = new KeychainLocks({ folder: options.lockFolder });
  }

  get apiUrl(): string {
    return this.#options.apiUrl;
  }

  async get(authType: AuthType): Promise<PodioOAuth> {
    const identity = this.#identity(authType);
    const rescued = this.#recovery(identity).read();
    if (rescued !== undefined) return this.#takeBack(rescued, identity);
    if (!this.#index.has(identity)) return EMPTY_OAUTH;
    const record = await this.#keychain.get(keychainAccount(identity));
    if (record === null) throw removedByOthers(authType);
    return decode(record, identity);
  }

  /** @throws {StoreError} naming the recovery file, where the keychain did not take the successor of a session. */
  async set(oauth: PodioOAuth, authType: AuthType): Promise<void> {
    const identity = this.#identity(authType);
    const release = this.#held.has(identityKey(identity)) ? undefined : await this.lock(authType);
    try {
      if (isEmpty(oauth)) await this.#forget(identity);
      else if (this.#index.has(identity)) await this.#replace(encodeRecord(oauth, identity), identity);
      else await this.#add(encodeRecord(oauth, identity), identity);
    } finally {
      await release?.();
    }
  }

  async list(): Promise<AuthType[]> {
    return this.#index.list();
  }

  /** Beside shutting out others, puts in place the recovery file that a killed process had written and not yet named. */
  async lock(authType: AuthType): Promise<Release> {
    const identity = this.#identity(authType);
    const release = await this.#locks.acquire(identityKey(identity));
    try {
      this.#recovery(identity).adopt((record) => isWholeRecord(record, identity));
    } catch (error) {
      release();
      throw error;
    }
    this.#held.add(identityKey(identity));
    return () => {
      this.#held.delete(identityKey(identity));
      release();
    };
  }

  async reserve(): Promise<Release> {
    ensureOwnFolder(this.#options.folder);
    await this.#locks.write(() => this.#keychain.probe());
    return () => undefined;
  }

  place(): string {
    return `the keychain (service ${this.#keychain.service})`;
  }

  async #add(record: string, identity: Identity): Promise<void> {
    await this.#write(record, identity);
    try {
      this.#index.add(identity);
    } catch (error) {
      await this.#erase(identity).catch(() => undefined);
      throw error;
    }
  }

  async #replace(record: string, identity: Identity): Promise<void> {
    const recovery = this.#recovery(identity);
    // Killed at any moment, we must not leave behind a recovery file that is older than what is in the keychain.
    if (recovery.read() !== undefined) recovery.keep(record);
    try {
      await this.#write(record, identity);
    } catch (error) {
      throw recovery.rescue(record, error);
    }
    recovery.remove();
  }

  async #forget(identity: Identity): Promise<void> {
    await this.#erase(identity);
    this.#recovery(identity).remove();
    this.#index.remove(identity);
  }

  /** Answers the rescued session, and moves it to the keychain if that works again and nobody is about to write. */
  async #takeBack(record: string, identity: Identity): Promise<PodioOAuth> {
    const oauth = decode(record, identity);
    try {
      const release = await this.#locks.acquire(identityKey(identity), 0);
      await this.#returnToKeychain(identity).finally(release);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
    return oauth;
  }

  async #returnToKeychain(identity: Identity): Promise<void> {
    const recovery = this.#recovery(identity);
    const record = recovery.read();
    if (record === undefined) return;
    await this.#write(record, identity);
    recovery.remove();
  }

  #write(record: string, identity: Identity): Promise<void> {
    return this.#locks.write(() => this.#keychain.set(keychainAccount(identity), record));
  }

  #erase(identity: Identity): Promise<void> {
    return this.#locks.write(() => this.#keychain.delete(keychainAccount(identity)));
  }

  #identity({ type, identifier }: AuthType): Identity {
    return { apiUrl: this.#options.apiUrl, clientId: this.#options.clientId, type, identifier };
  }

  #recovery(identity: Identity): RecoveryFile {
    return new RecoveryFile({ folder: this.#options.folder, name: identityKey(identity) });
  }
}

/**
 * The name of an identity's entry, `app:123456 https://api.podio.com my-client`: told apart from every other
 * identity's, and ASCII, which all keychains take.
 */
export function keychainAccount(identity: Identity): string {
  const parts = [formatAuthType(identity), identity.apiUrl, identity.clientId];
  const percent = (char: string) => `%${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return parts.map((part) => part.replace(/[^!-$&-~]/g, percent)).join(' ');
}

const LOG_IN_AGAIN = 'log in again: podio login';

function decode(record: string, identity: Identity): PodioOAuth {
  try {
    return decodeRecord(record, identity);
  } catch (error) {
    if (!(error instanceof DamagedRecordError)) throw error;
    throw new DamagedRecordError(error.message, { hint: LOG_IN_AGAIN });
  }
}

function removedByOthers(authType: AuthType): StoreError {
  const message = `the session of ${formatAuthType(authType)} was not found in the keychain, where podio had put it`;
  return new StoreError(message, { hint: LOG_IN_AGAIN });
}

import { createHash } from 'node:crypto';
import * as path from 'node:path';
import { type Identity, identityKey } from '../../values/identity.ts';
import { EMPTY_OAUTH, isEmpty, type PodioOAuth } from '../../values/podio-oauth.ts';
import {
  DamagedRecordError,
  decodeRecord,
  encodeRecord,
  recordIdentity,
  recordParent,
} from '../../values/record.ts';
import type { AuthType, Release, SessionManager, SessionScope } from '../../values/session-manager.ts';
import {
  adoptPendingFile,
  ensureOwnFolder,
  keepAside,
  listFolder,
  pendingFile,
  Reservation,
  readOwnFile,
  removeFile,
} from '../files.ts';
import { acquireLock } from '../lock.ts';

/** Where and for whom a FileSessionManager keeps sessions. */
export interface FileSessionManagerOptions extends SessionScope {
  /** An absolute path; made where it is missing, mode 0700. */
  readonly folder: string;
}

/** Keeps each session in a file of its own, mode 0600, that is replaced whole or not at all. */
export class FileSessionManager implements SessionManager {
  readonly #options: FileSessionManagerOptions;
  readonly #held = new Set<string>();
  readonly #reserved = new Map<string, Reservation>();

  constructor(options: FileSessionManagerOptions) {
    this.#options = options;
  }

  get apiUrl(): string {
    return this.#options.apiUrl;
  }

  async get(authType: AuthType): Promise<PodioOAuth> {
    try {
      return this.#read(authType);
    } catch (error) {
      if (!(error instanceof DamagedRecordError)) throw error;
      return this.#locked(authType, () => this.#readOrKeepAside(authType));
    }
  }

  async set(oauth: PodioOAuth, authType: AuthType): Promise<void> {
    await this.#locked(authType, () =>
      isEmpty(oauth) ? this.#forget(authType) : this.#write(oauth, authType),
    );
  }

  async list(): Promise<AuthType[]> {
    const { apiUrl, clientId, folder } = this.#options;
    const files = listFolder(folder).filter((name) => /-[0-9a-f]{24}\.json$/.test(name));
    const identities = files.map((name) => recordIdentity(readOwnFile(path.join(folder, name)) ?? ''));
    return identities
      .filter((identity) => identity !== undefined)
      .filter((identity) => identity.apiUrl === apiUrl && identity.clientId === clientId)
      .map(({ type, identifier }) => ({ type, identifier }));
  }

  /** Beside shutting out others, puts in place what a killed process had written and not yet named. */
  async lock(authType: AuthType): Promise<Release> {
    const file = this.#file(authType);
    ensureOwnFolder(this.#options.folder);
    const release = await acquireLock(`${file}.lock`);
    this.#held.add(file);
    const unlock = () => {
      this.#held.delete(file);
      release();
    };
    try {
      this.#recover(authType);
    } catch (error) {
      unlock();
      throw error;
    }
    return unlock;
  }

  async reserve(authType: AuthType): Promise<Release> {
    const file = this.#file(authType);
    const reservation = new Reservation(file);
    this.#reserved.set(file, reservation);
    return () => {
      this.#reserved.delete(file);
      reservation.release();
    };
  }

  place(authType: AuthType): string {
    return `the file ${this.#file(authType)}`;
  }

  #read(authType: AuthType): PodioOAuth {
    const text = readOwnFile(this.#file(authType));
    return text === undefined ? EMPTY_OAUTH : decodeRecord(text, this.#identity(authType));
  }

  #readOrKeepAside(authType: AuthType): PodioOAuth {
    try {
      return this.#read(authType);
    } catch (error) {
      if (!(error instanceof DamagedRecordError)) throw error;
      const kept = keepAside(this.#file(authType), Date.now());
      throw new DamagedRecordError(`${error.message}; its file was kept as ${kept}`, {
        hint: 'log in again: podio login',
      });
    }
  }

  #write(oauth: PodioOAuth, authType: AuthType): void {
    const file = this.#file(authType);
    const reservation = this.#reserved.get(file) ?? new Reservation(file);
    this.#reserved.delete(file);
    const mark = this.#mark(authType);
    if (mark === undefined) keepAside(file, Date.now());
    reservation.commit(encodeRecord(oauth, this.#identity(authType), mark));
  }

  #forget(authType: AuthType): void {
    removeFile(this.#file(authType));
  }

  // A pending file is whole only when it parses, and newer only when it was got with the token that still lies there.
  #recover(authType: AuthType): void {
    const file = this.#file(authType);
    const text = readOwnFile(pendingFile(file));
    if (text === undefined) return;
    if (this.#isWhole(text, authType) && [undefined, recordParent(text)].includes(this.#mark(authType))) {
      adoptPendingFile(file);
    } else {
      removeFile(pendingFile(file));
    }
  }

  #isWhole(text: string, authType: AuthType): boolean {
    try {
      decodeRecord(text, this.#identity(authType));
      return true;
    } catch {
      return false;
    }
  }

  // Names the stored refresh token without telling it; undefined where what lies there cannot be read.
  #mark(authType: AuthType): string | undefined {
    try {
      const { refreshToken } = this.#read(authType);
      return refreshToken && createHash('sha256').update(refreshToken).digest('hex').slice(0, 16);
    } catch {
      return undefined;
    }
  }

  async #locked<T>(authType: AuthType, work: () => T): Promise<T> {
    if (this.#held.has(this.#file(authType))) return work();
    const release = await this.lock(authType);
    try {
      return work();
    } finally {
      await release();
    }
  }

  #identity({ type, identifier }: AuthType): Identity {
    return { apiUrl: this.#options.apiUrl, clientId: this.#options.clientId, type, identifier };
  }

  #file(authType: AuthType): string {
    return path.join(this.#options.folder, `${identityKey(this.#identity(authType))}.json`);
  }
}

import * as path from 'node:path';
import { hashOf } from '../../values/hash.ts';
import { type Identity, identityKey } from '../../values/identity.ts';
import { EMPTY_OAUTH, isEmpty, type PodioOAuth } from '../../values/podio-oauth.ts';
import {
  DamagedRecordError,
  decodeRecord,
  encodeRecord,
  isWholeRecord,
  recordIdentity,
  recordParent,
} from '../../values/record.ts';
import type { AuthType, Release, SessionManager, SessionScope } from '../../values/session-manager.ts';
import { quietly } from '../file-errors.ts';
import { keepAside, keptAside, readOwnFile, removeFile } from '../files.ts';
import { ensureOwnFolder, listFolder } from '../folders.ts';
import { adoptPendingFile, pendingFile, Reservation } from '../reservation.ts';

/** Where and for whom a FileSessionManager keeps sessions. */
export interface FileSessionManagerOptions extends SessionScope {
  /** An absolute path; made where it is missing, mode 0700. */
  readonly folder: string;
}

/** A place for the next session, made ready while nothing depends on it yet. */
interface Place {
  readonly reservation: Reservation;
  readonly mark: Mark;
}

/** Names the refresh token that is stored without telling it; undefined where what lies there is damaged. */
type Mark = string | undefined;

/** Keeps each session in a file of its own, mode 0600, that is replaced whole or not at all. */
export class FileSessionManager implements SessionManager {
  readonly #options: FileSessionManagerOptions;
  readonly #held = new Set<string>();
  readonly #reserved = new Map<string, Place>();

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
    const { acquireLock } = await import('../lock.ts');
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
    const place = this.#prepare(authType);
    this.#reserved.set(file, place);
    return () => {
      this.#reserved.delete(file);
      place.reservation.release();
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

  // Between the answer that brings a session and its first byte on the disk lies nothing but this.
  #write(oauth: PodioOAuth, authType: AuthType): void {
    const file = this.#file(authType);
    const { reservation, mark } = this.#reserved.get(file) ?? this.#prepare(authType);
    this.#reserved.delete(file);
    if (mark === undefined) quietly(() => keepAside(file, Date.now()));
    reservation.commit(encodeRecord(oauth, this.#identity(authType), mark));
  }

  #prepare(authType: AuthType): Place {
    const mark = this.#mark(authType);
    return { mark, reservation: new Reservation(this.#file(authType)) };
  }

  // What was kept aside may hold tokens too.
  #forget(authType: AuthType): void {
    const file = this.#file(authType);
    removeFile(file);
    for (const damaged of keptAside(file)) removeFile(damaged);
  }

  // A pending file is whole only when it parses, and newer only when it was got with the token that still lies there.
  #recover(authType: AuthType): void {
    const file = this.#file(authType);
    const text = readOwnFile(pendingFile(file));
    if (text === undefined) return;
    const mark = this.#mark(authType);
    if (isWholeRecord(text, this.#identity(authType)) && [undefined, recordParent(text)].includes(mark)) {
      if (mark === undefined) keepAside(file, Date.now());
      adoptPendingFile(file);
    } else {
      removeFile(pendingFile(file));
    }
  }

  /** @throws {StoreError} where the file cannot be read; a record that is damaged is no such trouble. */
  #mark(authType: AuthType): Mark {
    const text = readOwnFile(this.#file(authType));
    if (text === undefined) return '';
    try {
      const { refreshToken } = decodeRecord(text, this.#identity(authType));
      return refreshToken && hashOf(refreshToken).slice(0, 16);
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

import { join } from 'node:path';
import { type Identity, identityKey } from '../../values/identity.ts';
import { AUTH_TYPES, type AuthType, type SessionScope } from '../../values/session-manager.ts';
import { readOwnFile, removeFile } from '../files.ts';
import { listFolder } from '../folders.ts';
import { writeFileSafely } from '../reservation.ts';

/** Where the notes lie, and whose they are. */
export interface KeychainIndexOptions extends SessionScope {
  readonly folder: string;
}

const SUFFIX = '.keychain.json';

/** Notes which sessions ought to be in the keychain: a file without secrets for each, mode 0600. */
export class KeychainIndex {
  readonly #options: KeychainIndexOptions;

  constructor(options: KeychainIndexOptions) {
    this.#options = options;
  }

  /** @throws {StoreError} where that cannot be found out. */
  has(identity: Identity): boolean {
    return readOwnFile(this.#file(identity)) !== undefined;
  }

  /** @throws {StoreError} */
  add(identity: Identity): void {
    const { apiUrl: api_url, clientId: client_id, type, identifier } = identity;
    writeFileSafely(
      this.#file(identity),
      JSON.stringify({ version: 1, api_url, client_id, type, identifier }),
    );
  }

  /** @throws {StoreError} */
  remove(identity: Identity): void {
    removeFile(this.#file(identity));
  }

  /** Who is noted, as far as the notes are whole and of this scope. @throws {StoreError} */
  list(): AuthType[] {
    const names = listFolder(this.#options.folder).filter((name) => name.endsWith(SUFFIX));
    return names.flatMap((name) => this.#read(name) ?? []);
  }

  // The file's name is made from what the note says: a note that says something else is not believed.
  #read(name: string): AuthType | undefined {
    const note = parseNote(readOwnFile(join(this.#options.folder, name)));
    return note && noteName({ ...this.#options, ...note }) === name ? note : undefined;
  }

  #file(identity: Identity): string {
    return join(this.#options.folder, noteName(identity));
  }
}

function noteName(identity: Identity): string {
  return `${identityKey(identity)}${SUFFIX}`;
}

function parseNote(text: string | undefined): AuthType | undefined {
  try {
    const { type, identifier }: Partial<Record<string, unknown>> = JSON.parse(text ?? '{}');
    const known = AUTH_TYPES.find((name) => name === type);
    return known && typeof identifier === 'string' ? { type: known, identifier } : undefined;
  } catch {
    return undefined;
  }
}

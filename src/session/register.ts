import * as path from 'node:path';
import { hashOf } from '../values/hash.ts';
import { formatAuthType, type Identity, identityKey } from '../values/identity.ts';
import { parseJsonObject } from '../values/json.ts';
import { AUTH_TYPES } from '../values/session-manager.ts';
import { readOwnFile, removeFile } from './files.ts';
import { listFolder } from './folders.ts';
import { locked } from './locked.ts';
import { writeFileSafely } from './reservation.ts';

/** An identity that logged in here once: what the user calls it, and which manager keeps its session. */
export interface KnownIdentity extends Identity {
  readonly name?: string | undefined;
  readonly manager: string;
}

/** Which identities there are, and which is the default at each API. Holds no secret; a file for each identity. */
export class IdentityRegister {
  readonly #identities: string;
  readonly #defaults: string;

  /** `folder`: an absolute path, made where it is missing. */
  constructor({ folder }: { folder: string }) {
    this.#identities = path.join(folder, 'identities');
    this.#defaults = path.join(folder, 'defaults');
  }

  /** All of them, by name. @throws {StoreError} */
  list(): KnownIdentity[] {
    const names = listFolder(this.#identities).filter((name) => name.endsWith('.json'));
    const known = names.map((name) => this.#read(name)).filter((identity) => identity !== undefined);
    return known.sort((a, b) => label(a).localeCompare(label(b)));
  }

  /** Those that a text means: a short name, or `type:identifier`. @throws {StoreError} */
  find(text: string): KnownIdentity[] {
    return this.list().filter((known) => known.name === text || formatAuthType(known) === text);
  }

  /** What is known of this very identity. @throws {StoreError} */
  get(identity: Identity): KnownIdentity | undefined {
    return this.#read(`${identityKey(identity)}.json`);
  }

  /** The identity that serves where none is named. @throws {StoreError} */
  default(apiUrl: string): KnownIdentity | undefined {
    const key = this.#defaultKey(apiUrl);
    return key === undefined ? undefined : this.#read(`${key}.json`);
  }

  /** Remembers an identity, in place of what was known of it. @throws {StoreError} */
  async add(known: KnownIdentity): Promise<void> {
    const { apiUrl, clientId, type, identifier, name, manager } = known;
    const entry = { version: 1, api_url: apiUrl, client_id: clientId, type, identifier, name, manager };
    await this.#write(this.#identityFile(known), entry);
  }

  /** Makes an identity the default at its API. @throws {StoreError} */
  async choose(identity: Identity): Promise<void> {
    await this.#write(this.#defaultFile(identity.apiUrl), { default: identityKey(identity) });
  }

  /** Forgets an identity; where it was the default, another at the same API becomes it and is answered. @throws {StoreError} */
  async remove(identity: Identity): Promise<KnownIdentity | undefined> {
    const { apiUrl } = identity;
    const isChosen = () => this.#defaultKey(apiUrl) === identityKey(identity);
    removeFile(this.#identityFile(identity));
    if (!isChosen()) return undefined;
    // Whoever has chosen another one meanwhile has the last word.
    return locked(this.#defaultFile(apiUrl), () => (isChosen() ? this.#chooseAnother(apiUrl) : undefined));
  }

  /** Whether this is the default at its API. @throws {StoreError} */
  isDefault(identity: Identity): boolean {
    const chosen = this.default(identity.apiUrl);
    return chosen !== undefined && identityKey(chosen) === identityKey(identity);
  }

  // A damaged entry is as good as none: it holds nothing that the next login does not bring again.
  #read(name: string): KnownIdentity | undefined {
    const known = readEntry(readOwnFile(path.join(this.#identities, name)) ?? '');
    return known && `${identityKey(known)}.json` === name ? known : undefined;
  }

  #chooseAnother(apiUrl: string): KnownIdentity | undefined {
    const next = this.list().find((known) => known.apiUrl === apiUrl);
    if (next) writeFileSafely(this.#defaultFile(apiUrl), textOf({ default: identityKey(next) }));
    else removeFile(this.#defaultFile(apiUrl));
    return next;
  }

  #defaultKey(apiUrl: string): string | undefined {
    const key = parseJsonObject(readOwnFile(this.#defaultFile(apiUrl)) ?? '')?.default;
    return typeof key === 'string' && /^[A-Za-z0-9@._-]{1,80}$/.test(key) ? key : undefined;
  }

  async #write(file: string, entry: object): Promise<void> {
    const text = textOf(entry);
    await locked(file, () => readOwnFile(file) === text || writeFileSafely(file, text));
  }

  #identityFile(identity: Identity): string {
    return path.join(this.#identities, `${identityKey(identity)}.json`);
  }

  #defaultFile(apiUrl: string): string {
    const key = hashOf(apiUrl).slice(0, 24);
    return path.join(
      this.#defaults,
      `${new URL(apiUrl).hostname.replace(/[^A-Za-z0-9.-]/g, '_')}-${key}.json`,
    );
  }
}

function textOf(entry: object): string {
  return `${JSON.stringify(entry)}\n`;
}

/** The short name where there is one, else `type:identifier`. */
export function label({ name, ...identity }: KnownIdentity): string {
  return name ?? formatAuthType(identity);
}

function readEntry(text: string): KnownIdentity | undefined {
  const {
    api_url: apiUrl,
    client_id: clientId,
    type,
    identifier,
    name,
    manager,
  } = parseJsonObject(text) ?? {};
  const known = AUTH_TYPES.find((authType) => authType === type);
  if (known === undefined || typeof apiUrl !== 'string' || typeof clientId !== 'string') return undefined;
  if (typeof identifier !== 'string' || typeof manager !== 'string') return undefined;
  return { apiUrl, clientId, type: known, identifier, manager, ...(typeof name === 'string' && { name }) };
}

import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { acquireLock } from 'podio-cli';
import { parse, stringify } from 'smol-toml';

/** Keeps all sessions in one file of TOML, which people can read: a table for each identity. */
export default class TomlSessionManager {
  #folder;
  #file;

  constructor({ folder }) {
    this.#folder = folder;
    this.#file = join(folder, 'sessions.toml');
  }

  async get(authType) {
    return (await this.#read())[nameOf(authType)];
  }

  // Read and written as a whole: whoever else writes, writes before or after.
  async set(oauth, authType) {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const release = await acquireLock(`${this.#file}.lock`);
    try {
      const { [nameOf(authType)]: _old, ...sessions } = await this.#read();
      await this.#write(oauth.accessToken ? { ...sessions, [nameOf(authType)]: oauth } : sessions);
    } finally {
      release();
    }
  }

  async list() {
    return Object.keys(await this.#read()).map((name) => JSON.parse(name));
  }

  // A lock for each identity: renewing one session keeps nobody from another.
  async lock(authType) {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const name = createHash('sha256').update(nameOf(authType)).digest('hex');
    return acquireLock(join(this.#folder, `${name}.lock`));
  }

  place() {
    return `the file ${this.#file}`;
  }

  async #read() {
    try {
      return parse(await readFile(this.#file, 'utf8'));
    } catch (error) {
      if (error.code === 'ENOENT') return {};
      throw error;
    }
  }

  // All of the new file or all of the old one, whatever happens in between.
  async #write(sessions) {
    await writeFile(`${this.#file}.new`, stringify(sessions), { mode: 0o600, flush: true });
    await rename(`${this.#file}.new`, this.#file);
  }
}

function nameOf({ type, identifier }) {
  return JSON.stringify({ type, identifier });
}

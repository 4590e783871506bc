import { mkdirSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type SessionData, Store } from 'express-session';

type Done<T = void> = (error?: unknown, value?: T) => void;

/** Keeps browsers' sessions in files of mode 0600, so that they outlive the server. */
export class FileStore extends Store {
  readonly #folder: string;

  constructor(folder: string) {
    super();
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
  }

  override get(id: string, done: Done<SessionData | null>): void {
    readFile(this.#file(id), 'utf8').then(
      (text) => done(undefined, JSON.parse(text)),
      (error) => (error.code === 'ENOENT' ? done(undefined, null) : done(error)),
    );
  }

  override set(id: string, session: SessionData, done: Done = () => {}): void {
    const file = this.#file(id);
    const pending = `${file}.${process.pid}.${Math.random()}`;
    writeFile(pending, JSON.stringify(session), { mode: 0o600 })
      .then(() => rename(pending, file))
      .then(() => done(), done);
  }

  override destroy(id: string, done: Done = () => {}): void {
    rm(this.#file(id), { force: true }).then(() => done(), done);
  }

  #file(id: string): string {
    return join(this.#folder, Buffer.from(id).toString('hex'));
  }
}

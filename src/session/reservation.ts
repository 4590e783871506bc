import * as fs from 'node:fs';
import * as path from 'node:path';
import { StoreError } from '../errors.ts';
import { fileError, quietly } from './file-errors.ts';
import { removeFile } from './files.ts';
import { ensureOwnFolder, syncFolder } from './folders.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants;

/** Room for the longest answer that a token endpoint gives, several times over. */
const RESERVED_BYTES = 8 * 1024;

/**
 * A place on the disk for a file that is about to be written: created with mode 0600 under a name beside it and
 * filled, so that a full disk, a missing permission or a read-only file system shows before a token is spent.
 */
export class Reservation {
  readonly #file: string;
  readonly #pending: string;
  #fd: number | undefined;

  /** @throws {StoreError} where the file could not be written. */
  constructor(file: string) {
    this.#file = file;
    this.#pending = pendingFile(file);
    try {
      this.#fd = fs.openSync(this.#pending, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      fs.fchmodSync(this.#fd, 0o600);
      writeWhole(this.#fd, Buffer.alloc(RESERVED_BYTES, ' '));
      fs.fsyncSync(this.#fd);
    } catch (error) {
      quietly(() => this.release());
      throw fileError('write', file, error);
    }
  }

  /**
   * Puts the text in the file's place: all of it or, whatever happens, none of it. What is whole and could not be
   * put there stays in the pending file, for the next holder of the lock to adopt.
   * @throws {StoreError} where that failed; the old file is then as it was.
   */
  commit(text: string): void {
    const fd = this.#take();
    let note: string | undefined;
    // What is written here may be the only copy of a token that was just spent for it: no step fails at once.
    try {
      twice(() => {
        writeWhole(fd, Buffer.from(text));
        note = `its new content waits in ${this.#pending}, where the next command finds it`;
        // Blanks behind the text do no harm.
        quietly(() => fs.ftruncateSync(fd, Buffer.byteLength(text)));
        fs.fsyncSync(fd);
      });
      twice(() => fs.renameSync(this.#pending, this.#file));
      note = 'its new content is there, but may not outlast a power cut';
      twice(() => syncFolder(path.dirname(this.#file)));
    } catch (error) {
      throw fileError('write', this.#file, error, note);
    } finally {
      quietly(() => fs.closeSync(fd));
    }
  }

  /** Gives the place back, unless `commit` has used it. @throws {StoreError} */
  release(): void {
    if (this.#fd === undefined) return;
    const fd = this.#take();
    quietly(() => fs.closeSync(fd));
    removeFile(this.#pending);
  }

  #take(): number {
    const fd = this.#fd;
    if (fd === undefined) throw new StoreError(`the place reserved for ${this.#file} is used up`);
    this.#fd = undefined;
    return fd;
  }
}

/** The name under which the next content of a file waits until it is whole. */
export function pendingFile(file: string): string {
  return `${file}.new`;
}

/** Makes a pending file the file itself. @throws {StoreError} */
export function adoptPendingFile(file: string): void {
  try {
    fs.renameSync(pendingFile(file), file);
    syncFolder(path.dirname(file));
  } catch (error) {
    throw fileError('write', file, error);
  }
}

/** Replaces a file by the text in one step, its folder made where it is missing. @throws {StoreError} */
export function writeFileSafely(file: string, text: string): void {
  ensureOwnFolder(path.dirname(file));
  removeFile(pendingFile(file));
  new Reservation(file).commit(text);
}

// The second time from the start: after a failed fsync the system may have dropped what it could not write.
function twice(step: () => void): void {
  try {
    step();
  } catch {
    step();
  }
}

// A full disk takes a part and reports no error until the next write.
function writeWhole(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) {
    const written = fs.writeSync(fd, bytes, done, bytes.length - done, done);
    if (written === 0) throw Object.assign(new Error('nothing was written'), { code: 'ENOSPC' });
    done += written;
  }
}

import * as fs from 'node:fs';
import * as path from 'node:path';
import { StoreError } from '../errors.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants;

/** No record is longer; whatever is, was not written by podio. */
const LONGEST_FILE = 64 * 1024;

/** Room for the longest answer that a token endpoint gives, several times over. */
const RESERVED_BYTES = 8 * 1024;

/**
 * The text of one of our own small files; undefined where there is none. A mode that lets others read is mended.
 * @throws {StoreError} where it cannot be read, or is no regular file of this user's alone (a link, a FIFO, somebody else's).
 */
export function readOwnFile(file: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    checkOwnFile(file, fd);
    return fs.readFileSync(fd, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw fileError('read', file, error);
  } finally {
    if (fd !== undefined) fs.closeSync(fd);
  }
}

function checkOwnFile(file: string, fd: number): void {
  const stat = fs.fstatSync(fd);
  if (!stat.isFile()) throw unsafe(file, 'is not a regular file');
  if (stat.nlink > 1) throw unsafe(file, 'has a second name (a hard link)');
  checkOwner(file, stat);
  if (stat.size > LONGEST_FILE) throw unsafe(file, 'is far too long for what podio keeps there');
  if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0) fs.fchmodSync(fd, 0o600);
}

/**
 * A place on the disk for a file that is about to be written: created with mode 0600 under a name beside it and
 * filled, so that a full disk, a missing permission or a read-only file system shows before a token is spent.
 */
export class Reservation {
  readonly #file: string;
  #fd: number | undefined;

  /** @throws {StoreError} where the file could not be written. */
  constructor(file: string) {
    this.#file = file;
    try {
      this.#fd = fs.openSync(pendingFile(file), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      fs.fchmodSync(this.#fd, 0o600);
      writeWhole(this.#fd, Buffer.alloc(RESERVED_BYTES, ' '));
      fs.fsyncSync(this.#fd);
    } catch (error) {
      if (this.#fd !== undefined) this.release();
      throw fileError('write', file, error);
    }
  }

  /**
   * Puts the text in the file's place: all of it or, whatever happens, none of it. What could not be put there
   * stays in the pending file, for the next holder of the lock to adopt.
   * @throws {StoreError} where that failed; the old file is then as it was.
   */
  commit(text: string): void {
    const fd = this.#take();
    const bytes = Buffer.from(text);
    try {
      // What is written here may be the only copy of a token that was just spent for it: no step fails at once.
      twice(() => writeWhole(fd, bytes));
      twice(() => fs.ftruncateSync(fd, bytes.length));
      twice(() => fs.fsyncSync(fd));
      twice(() => fs.renameSync(pendingFile(this.#file), this.#file));
      twice(() => syncFolder(path.dirname(this.#file)));
    } catch (error) {
      throw fileError('write', this.#file, error);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Gives the place back, unless `commit` has used it. */
  release(): void {
    if (this.#fd === undefined) return;
    fs.closeSync(this.#take());
    removeFile(pendingFile(this.#file));
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

/** Removes a file for good; it may be gone already. @throws {StoreError} */
export function removeFile(file: string): void {
  try {
    fs.unlinkSync(file);
    syncFolder(path.dirname(file));
  } catch (error) {
    if (!isMissing(error)) throw fileError('remove', file, error);
  }
}

/** Moves a damaged file out of the way, the last three of its kind kept; answers where it went. @throws {StoreError} */
export function keepAside(file: string, now: number): string {
  const kept = `${file}.corrupt-${new Date(now).toISOString().replace(/[:.]/g, '')}`;
  try {
    fs.renameSync(file, kept);
    const prefix = `${path.basename(file)}.corrupt-`;
    const old = listFolder(path.dirname(file))
      .filter((name) => name.startsWith(prefix))
      .sort();
    for (const name of old.slice(0, -3)) removeFile(path.join(path.dirname(file), name));
    return kept;
  } catch (error) {
    throw fileError('move', file, error);
  }
}

/** The names in a folder; none where the folder is missing. @throws {StoreError} */
export function listFolder(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw fileError('read', folder, error);
  }
}

/**
 * Makes sure that a folder is there, this user's own and closed to others (0700, a looser mode is mended).
 * @throws {StoreError} where it is a link, somebody else's, or below a folder in which anybody may rename it.
 */
export function ensureOwnFolder(folder: string): void {
  try {
    const missing = checkAncestors(folder);
    if (missing) fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stat = fs.lstatSync(folder);
    if (!stat.isDirectory()) throw unsafe(folder, 'is not a folder');
    checkOwner(folder, stat);
    if (process.platform !== 'win32' && (stat.mode & 0o777) !== 0o700) fs.chmodSync(folder, 0o700);
  } catch (error) {
    throw fileError('use', folder, error);
  }
}

// Answers whether the folder itself is still missing.
function checkAncestors(folder: string): boolean {
  let nearest: fs.Stats | undefined;
  for (
    let place = path.dirname(folder), last = folder;
    place !== last;
    last = place, place = path.dirname(place)
  ) {
    const stat = fs.statSync(place, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    nearest ??= stat;
    if (isOpenToAll(stat)) throw unsafe(place, 'can be written by everybody');
  }
  const isMissingFolder = fs.lstatSync(folder, { throwIfNoEntry: false }) === undefined;
  if (isMissingFolder && nearest && !isSticky(nearest)) checkRootsPlace(folder, nearest);
  return isMissingFolder;
}

// Under sudo with the caller's HOME, root would leave files there that their owner can no longer use.
function checkRootsPlace(folder: string, parent: fs.Stats): void {
  if (process.geteuid?.() === 0 && parent.uid !== 0)
    throw unsafe(folder, "would be root's in another user's folder");
}

function isSticky(stat: fs.Stats): boolean {
  return (stat.mode & 0o1000) !== 0;
}

function isOpenToAll(stat: fs.Stats): boolean {
  return process.platform !== 'win32' && (stat.mode & 0o002) !== 0 && !isSticky(stat);
}

function checkOwner(place: string, stat: fs.Stats): void {
  const me = process.geteuid?.();
  if (me !== undefined && stat.uid !== me) throw unsafe(place, `belongs to another user (uid ${stat.uid})`);
}

function unsafe(place: string, why: string): StoreError {
  return new StoreError(`${place} ${why}`, {
    hint: 'set it right, or name another folder with PODIO_DATA_DIR; with sudo, use sudo -H or the user itself',
  });
}

function twice(step: () => void): void {
  try {
    step();
  } catch {
    step();
  }
}

function writeWhole(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) {
    done += fs.writeSync(fd, bytes, done, bytes.length - done, done);
  }
}

// A rename is on the disk only once its folder is; Windows keeps no such handle.
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = fs.openSync(folder, O_RDONLY);
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function isMissing(error: unknown): boolean {
  return errorCode(error) === 'ENOENT';
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

const ELSEWHERE = 'or name another folder with PODIO_DATA_DIR';

const REASONS: Readonly<Record<string, readonly [why: string, remedy: string]>> = {
  ENOSPC: ['the disk is full', `free some space there, ${ELSEWHERE}`],
  EDQUOT: ['the disk quota is used up', `free some space there, ${ELSEWHERE}`],
  EROFS: ['the file system is read-only', `make it writable, ${ELSEWHERE}`],
  EACCES: ['permission denied', `see who owns it with ls -ld, ${ELSEWHERE}`],
  EPERM: ['the operation is not permitted', `see who owns it with ls -ld, ${ELSEWHERE}`],
  ELOOP: ['it is a symbolic link', `remove the link, ${ELSEWHERE}`],
  ENOTDIR: ['a part of its path is not a folder', `mend the path, ${ELSEWHERE}`],
  EMFILE: ['too many files are open', 'raise the limit (ulimit -n), then try again'],
  ENFILE: ['too many files are open on this machine', 'close some programs, then try again'],
  EIO: ['the disk reported an error', `check the disk, ${ELSEWHERE}`],
};

/** Puts trouble with a file into words: which file, what is wrong with it, what to do. */
export function fileError(action: string, file: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const code = errorCode(cause);
  const [why, hint] = REASONS[code] ?? [code || 'unknown trouble', `check the path, ${ELSEWHERE}`];
  return new StoreError(`cannot ${action} ${file}: ${why}`, { hint, cause });
}

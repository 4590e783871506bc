import * as fs from 'node:fs';
import * as path from 'node:path';
import { despiteSignals, fileError, isMissing, quietly, unsafe } from './file-errors.ts';
import { checkOwner, listFolder, syncFolder } from './folders.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;

/** No record is longer; whatever is, was not written by podio. */
const LONGEST_FILE = 256 * 1024;

/**
 * The text of one of our own small files; undefined where there is none. A mode that lets others read is mended,
 * and what is far too long is cut: it cannot be a record of ours, and so reads as damaged.
 * @throws {StoreError} where it cannot be read, or is no regular file of this user's alone (a link, a FIFO, somebody else's).
 */
export function readOwnFile(file: string): string | undefined {
  let opened: OpenFile | undefined;
  try {
    opened = openOwnFile(file, O_RDONLY);
    return readText(opened.fd, Math.min(opened.size, LONGEST_FILE));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw fileError('read', file, error);
  } finally {
    const fd = opened?.fd;
    if (fd !== undefined) quietly(() => fs.closeSync(fd));
  }
}

/** A file that was opened, and how long it was then, in bytes. */
export interface OpenFile {
  readonly fd: number;
  readonly size: number;
}

/**
 * Opens one of our own files, following no link and waiting for nothing (a FIFO would). A mode that lets others in is
 * mended. @throws {StoreError} where it is no regular file of this user's alone; else what the system says.
 */
export function openOwnFile(file: string, flags: number): OpenFile {
  // Windows has neither flag; there they are undefined, which `|` takes as 0.
  const fd = fs.openSync(file, flags | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    return { fd, size: checkedSize(file, fd) };
  } catch (error) {
    quietly(() => fs.closeSync(fd));
    throw error;
  }
}

function checkedSize(file: string, fd: number): number {
  const stat = fs.fstatSync(fd);
  if (!stat.isFile()) throw unsafe(file, 'is not a regular file');
  if (stat.nlink > 1) throw unsafe(file, 'has a second name (a hard link)');
  checkOwner(file, stat);
  if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0) fs.fchmodSync(fd, 0o600);
  return stat.size;
}

// The size is known, and files are replaced, not written to: one read does.
function readText(fd: number, size: number): string {
  const bytes = Buffer.alloc(size);
  let done = 0;
  for (let read = -1; done < size && read !== 0; done += read) {
    read = despiteSignals(() => fs.readSync(fd, bytes, done, size - done, null));
  }
  return bytes.toString('utf8', 0, done);
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
    for (const old of keptAside(file).slice(0, -3)) removeFile(old);
    return kept;
  } catch (error) {
    throw fileError('move', file, error);
  }
}

/** The damaged files that were moved out of the way of this one, the oldest first. @throws {StoreError} */
export function keptAside(file: string): string[] {
  const folder = path.dirname(file);
  const names = listFolder(folder).filter((name) => name.startsWith(`${path.basename(file)}.corrupt-`));
  return names.sort().map((name) => path.join(folder, name));
}

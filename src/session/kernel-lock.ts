import { closeSync, constants, fstatSync, ftruncateSync, lstatSync, unlinkSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { codeOf, despiteSignals, quietly } from './file-errors.ts';
import {
  hasOneName,
  here,
  isAbandoned,
  notALock,
  openLockFile,
  readLockFile,
  type TryLock,
} from './lock-file.ts';

/** What of fs-native-extensions is used; its locks belong to one opening of a file, not to a process. */
interface Addon {
  tryLock(fd: number, offset?: number, length?: number): boolean;
}

let addon: Addon | null | undefined;

/** Null where the addon is not installed or has no binary for this machine (musl, rare processors). */
function loadAddon(): Addon | null {
  if (addon === undefined) addon = requireAddon();
  return addon;
}

function requireAddon(): Addon | null {
  try {
    // createRequire serves the bundle and ES modules alike, and a CommonJS addon loads fastest so.
    return createRequire(import.meta.url)('fs-native-extensions') as Addon;
  } catch {
    return null;
  }
}

/** Whether this machine can lock by the kernel; the first call loads the addon (some 3 ms). */
export function hasKernelLocks(): boolean {
  return loadAddon() !== null;
}

/**
 * A lock of the kernel's on a file of its own: it goes with its holder, however that ends.
 * Only who has locked the file that stands at `path` unlinks it, so a locked file that still stands there
 * cannot be replaced: hence lock first and look afterwards. A file gone meanwhile locks nothing: once more.
 */
export const tryKernelLock: TryLock = (path) => {
  for (;;) {
    const fd = openLockFile(path, constants.O_RDWR | constants.O_CREAT);
    const claimed = claim(path, fd);
    if (claimed === 'mine') return keep(path, fd);
    if (claimed === 'held') return undefined;
  }
};

/** Locks an open file if nobody has; unless it is then `mine`, it is closed. */
function claim(path: string, fd: number): 'mine' | 'held' | 'gone' {
  let claimed: 'mine' | 'held' | 'gone' = 'held';
  try {
    if (lockNow(fd) && !hasOwner(path)) claimed = standsAt(path, fd) ? 'mine' : 'gone';
    return claimed;
  } finally {
    if (claimed !== 'mine') quietly(() => closeSync(fd));
  }
}

function lockNow(fd: number): boolean {
  try {
    // Elsewhere the whole file, as macOS must; Windows lets nobody read what is locked, so a byte far behind.
    const range: number[] = process.platform === 'win32' ? [2 ** 40, 1] : [];
    return despiteSignals(() => loadAddon()?.tryLock(fd, ...range) ?? false);
  } catch (error) {
    // So says Windows where the others say EAGAIN, which the addon turns into false.
    if (codeOf(error) === 'EBUSY') return false;
    throw error;
  }
}

/** Whether a process without the addon (in a container, say) holds its own kind of lock here. */
function hasOwner(path: string): boolean {
  const file = readLockFile(path);
  return file?.owner !== undefined && !isAbandoned(file);
}

function standsAt(path: string, fd: number): boolean {
  const opened = fstatSync(fd, { bigint: true });
  const there = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (there && !there.isFile()) throw notALock(path);
  // Windows tells one volume's number in two ways (libuv#4698).
  return there?.ino === opened.ino && (process.platform === 'win32' || there.dev === opened.dev);
}

/** Leaves a note of who holds the lock, for the others' messages only: no full disk shall keep it from us. */
function keep(path: string, fd: number): () => void {
  quietly(() => {
    if (!hasOneName(fd)) return;
    ftruncateSync(fd);
    writeSync(fd, JSON.stringify({ pid: process.pid, place: here(), since: Date.now() }), 0);
  });
  return () => {
    quietly(() => standsAt(path, fd) && unlinkSync(path));
    quietly(() => closeSync(fd));
  };
}

import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { StoreError } from '../errors.ts';
import { quoted } from '../values/quoted.ts';
import { codeOf } from './file-errors.ts';
import { hasKernelLocks, tryKernelLock } from './kernel-lock.ts';
import { here, type LockFile, notALock, readLockFile, type TryLock } from './lock-file.ts';
import { tryOwnerLock } from './owner-lock.ts';

/** How long to wait for a lock, and which kind to take. */
export interface LockOptions {
  /** Milliseconds to wait at most; 20 seconds unless told, 0 tries once. */
  readonly timeoutMs?: number | undefined;
  /** false takes the lock in plain Node even where the kernel's is at hand. */
  readonly kernel?: boolean | undefined;
}

/**
 * Shuts out every other process of this user, and every other caller in this one, until the function it
 * brings is called; that may be called twice. The lock of a killed holder passes on at once. The folder of
 * `path` must exist, and the file at `path` is the lock's own: it is gone when nobody holds the lock.
 * @throws {StoreError} naming the holder where the time is up, or the file and the remedy where it cannot be locked.
 */
export async function acquireLock(path: string, options: LockOptions = {}): Promise<() => void> {
  const { timeoutMs = 20_000, kernel = true } = options;
  const tryThis = kernel && hasKernelLocks() ? tryKernelLock : tryOwnerLock;
  const deadline = performance.now() + timeoutMs;
  for (let longest = 2; ; longest = Math.min(longest * 2, 50)) {
    const left = deadline - performance.now();
    const release = attempt(tryThis, path, left);
    if (release) return once(release);
    if (left <= 0) throw heldTooLong(path, timeoutMs);
    // The kernel could wait for us, but nothing could then end the wait in time.
    await pause(Math.min(left, longest * (0.5 + Math.random() / 2)));
  }
}

/** The same lock, where it is free this very moment; undefined where somebody has it. @throws {StoreError} */
export function tryLock(path: string): (() => void) | undefined {
  const release = attempt(hasKernelLocks() ? tryKernelLock : tryOwnerLock, path, 1);
  return release && once(release);
}

function attempt(tryThis: TryLock, path: string, timeLeft: number): ReturnType<TryLock> {
  try {
    return tryThis(path);
  } catch (error) {
    if (timeLeft > 0 && isPassing(codeOf(error))) return undefined;
    throw error instanceof StoreError ? error : cannotLock(path, error);
  }
}

/** Windows refuses, for a moment, the name of a file that is being deleted: try again as if it were held. */
function isPassing(code = ''): boolean {
  return process.platform === 'win32' && ['EPERM', 'EACCES', 'EBUSY'].includes(code);
}

function once(release: () => void): () => void {
  let released = false;
  return () => {
    if (released) return;
    released = true;
    release();
  };
}

function heldTooLong(path: string, timeoutMs: number): StoreError {
  const [holder, hint] = describeHolder(path);
  return new StoreError(`no lock within ${timeoutMs / 1000} s: ${holder} holds ${path}`, { hint });
}

/** Who holds the lock, and what to do about it. */
function describeHolder(path: string): [string, string] {
  const { pid, place } = readIfPossible(path) ?? {};
  if (pid === undefined) return ['another process', 'try again in a minute'];
  if (place !== here()) {
    const hint = 'wait until it has finished; if it was killed, the lock passes on after a minute';
    return [`process ${pid} of another machine or container`, hint];
  }
  if (pid === process.pid) return [`process ${pid} (this one)`, 'wait until its other call has finished'];
  const hint = `wait for it or end it, and the lock passes on by itself; to see what it is: ps -p ${pid}`;
  return [`process ${pid}`, hint];
}

function readIfPossible(path: string): LockFile | undefined {
  try {
    return readLockFile(path);
  } catch {
    return undefined;
  }
}

/** What the system answers to the opening of something that is no regular file. */
const NO_FILE = new Set(['ELOOP', 'EMLINK', 'EISDIR', 'ENXIO']);

function cannotLock(path: string, cause: unknown): StoreError {
  const code = codeOf(cause) || 'unknown error';
  if (NO_FILE.has(code)) return notALock(path, cause);
  return new StoreError(`cannot lock ${path} (${code})`, { hint: remedy(code, dirname(path)), cause });
}

function remedy(code: string, folder: string): string {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `see that the folder and its files are yours and writable: ls -ld ${quoted(folder)} ${quoted(folder)}/*`;
    case 'ENOENT':
    case 'ENOTDIR':
      return `create the folder: mkdir -p -m 700 ${quoted(folder)}`;
    case 'EROFS':
      return `the file system of ${folder} is read-only; make it writable, or name another folder with PODIO_DATA_DIR`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `free some space where ${folder} lies, then try again`;
    case 'EMFILE':
    case 'ENFILE':
      return 'too many files are open; end some programs or raise the limit (ulimit -n), then try again';
    default:
      return `see that ${folder} lies on a working disk that can lock files, best a local one`;
  }
}

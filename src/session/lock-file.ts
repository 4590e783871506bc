import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { StoreError } from '../errors.ts';
import { quoted } from '../values/quoted.ts';
import { codeOf, despiteSignals, quietly } from './file-errors.ts';

/** One try to lock `path`: what gives the lock back, or undefined where another one holds it. */
export type TryLock = (path: string) => (() => void) | undefined;

/** One holding of a lock by one process, told apart from every other, past and to come. */
export interface Owner {
  readonly pid: number;
  /** When the process started, in the system's words; empty where the system does not tell. */
  readonly startTime: string;
  /** Where `pid` means something, see `here`. */
  readonly place: string;
  /** Random, new for each holding. */
  readonly token: string;
}

/** What a file at the place of a lock says. */
export interface LockFile {
  /** Tells this holding from all others: the owner's token, or which file it is and when it was written. */
  readonly id: string;
  /** Whoever wrote the file; undefined where it is unreadable or still empty. */
  readonly pid: number | undefined;
  /** Where that pid means something. */
  readonly place: string | undefined;
  /** Undefined for a kernel lock's file too: that one holds by the kernel and not by what it says. */
  readonly owner: Owner | undefined;
  readonly ageMs: number;
}

/** This process as the owner of a new lock. */
export function newOwner(): Owner {
  const token = randomBytes(12).toString('hex');
  return { pid: process.pid, startTime: startTimeOf(process.pid) ?? '', place: here(), token };
}

/** Where this process's pid means something: the boot and the pid namespace, or else the host. */
export function here(): string {
  try {
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${bootId} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/**
 * Whether nobody holds what this file says any more: its process is gone or its pid belongs to another one.
 * Where that cannot be known (another machine or container, another boot, a file half written) age decides;
 * host names do not help, clones share them.
 */
export function isAbandoned({ owner, ageMs }: LockFile, ageLimitMs = 60_000): boolean {
  if (!owner || owner.place !== here()) return ageMs > ageLimitMs;
  const startTime = startTimeOf(owner.pid);
  if (startTime === undefined) return true;
  if (startTime === '' || owner.startTime === '') return ageMs > ageLimitMs;
  return startTime !== owner.startTime;
}

/**
 * The file at `path`; undefined where there is none.
 * @throws {StoreError} where it is no regular file of this user.
 */
export function readLockFile(path: string): LockFile | undefined {
  const fd = openIfThere(path);
  if (fd === undefined) return undefined;
  try {
    const { ino, mtimeNs, mtimeMs } = fstatSync(fd, { bigint: true });
    const said = parse(readStart(fd));
    const id = said.owner?.token ?? `${ino}-${mtimeNs}`;
    return { id, ...said, ageMs: Date.now() - Number(mtimeMs) };
  } finally {
    quietly(() => closeSync(fd));
  }
}

/**
 * Opens a lock's own file, following no link and waiting for nothing (a FIFO would).
 * @throws {StoreError} where it is no regular file of this user.
 */
export function openLockFile(path: string, flags: number): number {
  // Windows has neither flag; there they are undefined, which `|` takes as 0.
  const fd = openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.uid !== (process.geteuid?.() ?? stats.uid)) throw notALock(path);
    // Others must not be able to hold it, and a umask may have kept it even from us.
    const isLoose = process.platform !== 'win32' && (stats.mode & 0o777) !== 0o600;
    if (isLoose && hasOneName(fd)) fchmodSync(fd, 0o600);
    return fd;
  } catch (error) {
    quietly(() => closeSync(fd));
    throw error;
  }
}

/** Whether a lock's file may be changed: one with a second name (a hard link) can be any file of the user's. */
export function hasOneName(fd: number): boolean {
  return fstatSync(fd).nlink === 1;
}

/** The refusal of what stands at the place of a lock and was not made by one. */
export function notALock(path: string, cause?: unknown): StoreError {
  const hint = `move it away; to see what it is: ls -ld ${quoted(path)}`;
  return new StoreError(`cannot lock ${path}: it is not a regular file of your own`, { hint, cause });
}

function openIfThere(path: string): number | undefined {
  try {
    return openLockFile(path, constants.O_RDONLY);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** What is needed of the file, however long it is. */
function readStart(fd: number): string {
  const buffer = Buffer.alloc(1024);
  const length = despiteSignals(() => readSync(fd, buffer, 0, buffer.length, 0));
  return buffer.toString('utf8', 0, length);
}

function parse(text: string): Pick<LockFile, 'pid' | 'place' | 'owner'> {
  const record = parseObject(text);
  const pid = typeof record.pid === 'number' ? record.pid : undefined;
  const place = typeof record.place === 'string' ? record.place : undefined;
  return { pid, place, owner: parseOwner(pid, place, record) };
}

/** The token becomes part of a file name, so it is taken only in the form in which it was given. */
function parseOwner(pid = 0, place = '', { startTime, token }: Record<string, unknown>): Owner | undefined {
  const whole = pid > 0 && place !== '' && typeof startTime === 'string' && typeof token === 'string';
  return whole && /^[0-9a-f]{24}$/.test(token) ? { pid, startTime, place, token } : undefined;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return { ...JSON.parse(text) };
  } catch {
    return {};
  }
}

let ownStartTime: string | undefined;

/** Undefined where there is no such process (any more), empty where the system does not tell its start. */
function startTimeOf(pid: number): string | undefined {
  if (pid !== process.pid) return askStartTime(pid);
  ownStartTime ??= askStartTime(pid) ?? '';
  return ownStartTime;
}

function askStartTime(pid: number): string | undefined {
  if (!exists(pid)) return undefined;
  if (process.platform === 'linux') return startTimeFromProc(pid);
  return process.platform === 'win32' ? '' : startTimeFromPs(pid);
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

/** proc_pid_stat(5), counted from behind the program's name: state, then field 20 and field 22. */
function startTimeFromProc(pid: number): string | undefined {
  const stat = readIfPossible(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, threads, startTime = ''] = [fields[0], Number(fields[17]), fields[19]];
  // Killed, but not yet fetched by its parent, which a container's first process may never do.
  return state === 'Z' && threads <= 1 ? undefined : startTime;
}

function readIfPossible(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The environment is fixed, for `ps` speaks the language and the time zone of who asks. */
function startTimeFromPs(pid: number): string | undefined {
  const columns = ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)];
  const env = { LC_ALL: 'C', TZ: 'UTC' };
  const { stdout } = spawnSync('/bin/ps', columns, { encoding: 'utf8', timeout: 2000, env });
  const [, state, startTime = ''] = /^(\S+)\s+(.+)$/.exec((stdout ?? '').trim()) ?? [];
  return state?.startsWith('Z') ? undefined : startTime;
}

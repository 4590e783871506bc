import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

/** A process as everybody of the same user sees it (Linux). */
export interface Shown {
  readonly pid: number;
  /** The arguments, with spaces between. */
  readonly arguments: string;
  /** The environment it was started with, a line for each variable. */
  readonly environment: string;
}

/** A process and all that it has started, as ps and /proc show them. */
export function shownTree(pid: number): Shown[] {
  const parents = new Map(pids().map((one) => [one, parentOf(one)] as const));
  const isInTree = (one: number | undefined): boolean =>
    one !== undefined && (one === pid || isInTree(parents.get(one)));
  return [...parents.keys()].filter(isInTree).map(shown);
}

/** The first process of the tree whose arguments hold the text; waits for it, 10 s at most. */
export async function waitForProcess(pid: number, text: string): Promise<Shown> {
  for (const deadline = performance.now() + 10_000; performance.now() < deadline; await pause(5)) {
    const found = shownTree(pid).find((one) => one.arguments.includes(text) && one.environment !== '');
    if (found) return found;
  }
  throw new Error(`no process of ${pid} with ${text} in its arguments within 10 s`);
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function parentOf(pid: number): number | undefined {
  const [, parent] = /^PPid:\s+(\d+)$/m.exec(read(pid, 'status')) ?? [];
  return parent === undefined ? undefined : Number(parent);
}

function shown(pid: number): Shown {
  const environment = read(pid, 'environ').replaceAll('\0', '\n');
  return { pid, arguments: read(pid, 'cmdline').replaceAll('\0', ' '), environment };
}

// Empty for a process that has ended meanwhile.
function read(pid: number, what: string): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'utf8');
  } catch {
    return '';
  }
}

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** Waits until a process has taken notice of a signal: its handlers are used once, and then gone. */
export async function caught({ pid = 0 }: ChildProcess, signal: keyof typeof SIGNALS): Promise<void> {
  const handles = () => {
    const [, mask = '0'] = /^SigCgt:\s*(\w+)$/m.exec(read(pid, 'status')) ?? [];
    return ((BigInt(`0x${mask}`) >> BigInt(SIGNALS[signal] - 1)) & 1n) === 1n;
  };
  while (handles()) await nextTurn();
}

/** Waits until a process has reckoned for so many seconds: processor time, however slow the machine is. */
export async function busyFor({ pid = 0 }: ChildProcess, seconds: number): Promise<void> {
  for (let ticks = 0; ticks < seconds * 100; await pause(20)) {
    const [user, system] = read(pid, 'stat').replace(/.*\) /, '').split(' ').slice(11).map(Number);
    if (user === undefined) throw new Error('the process has ended');
    ticks = user + (system ?? 0);
  }
}

// openat(2) on x86-64 and on arm64.
const OPENING = /^(257|56) /;

/** Waits until a process hangs in the opening of a file: a pipe that nobody writes to. */
export async function opening({ pid = 0 }: ChildProcess): Promise<void> {
  const threads = () => readdirSync(`/proc/${pid}/task`).map((thread) => read(pid, `task/${thread}/syscall`));
  while (!threads().some((call) => OPENING.test(call))) await pause(5);
}

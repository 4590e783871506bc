import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BIN, type Outcome, outcome, type RunOptions, type World } from './cli.ts';

/** One operation on files that a process asked the kernel for. */
export interface Operation {
  readonly syscall: string;
  /** Which of its kind it was on these files, from 1: strace's `when=`. */
  readonly nth: number;
  /** The line of the trace: what was asked and what was answered. */
  readonly line: string;
}

/** What a traced command did. */
export interface Traced extends Outcome {
  readonly operations: readonly Operation[];
}

/** What to trace. */
export interface TraceOptions extends RunOptions {
  /** Only operations on these very files and folders; else all that name a file. */
  readonly paths?: readonly string[];
  /** What to trace where no paths are named: `%file`, all that name a file, unless told. */
  readonly kinds?: string;
  /** As strace's `-e inject=`: `rename:error=EIO:when=1`. Counts operations on `paths` only. */
  readonly inject?: string;
}

/** Runs a command line as a process whose file operations are traced, and meddled with. Node does them on its first thread. */
export async function traced(world: World, argv: readonly string[], options: TraceOptions): Promise<Traced> {
  const { paths = [], kinds = '%file', inject, env } = options;
  const log = join(tmpdir(), `podio-trace-${randomUUID()}`);
  const filter = paths.length > 0 ? paths.flatMap((path) => ['-P', path]) : ['-e', `trace=${kinds}`];
  const meddling = inject === undefined ? [] : ['-e', `inject=${inject}`];
  const args = ['-qq', '-y', '-s', '40', '-o', log, ...filter, ...meddling, process.execPath, BIN, ...argv];
  try {
    const done = await outcome(spawn('strace', args, { env: world.env(env), cwd: world.home }));
    return { ...done, operations: parse(readFileSync(log, 'utf8')) };
  } finally {
    rmSync(log, { force: true });
  }
}

/** Fails where strace is missing, with what to type. */
export function checkStrace(): void {
  const { error, status } = spawnSync('strace', ['-V']);
  assert.ok(
    error === undefined && status === 0,
    'strace is missing: apt-get update && apt-get install -y strace',
  );
}

/** The paths below a folder that the operations name, each once. */
export function pathsIn(folder: string, operations: readonly Operation[]): string[] {
  const named = operations.flatMap(({ line }) =>
    [...line.matchAll(/"(\/[^"]*)"/g)].map(([, path = '']) => path),
  );
  return [...new Set(named)].filter((path) => path.startsWith(`${folder}/`));
}

function parse(trace: string): Operation[] {
  const counts = new Map<string, number>();
  return trace.split('\n').flatMap((line) => {
    const syscall = /^(\w+)\(/.exec(line)?.[1];
    if (syscall === undefined) return [];
    const nth = (counts.get(syscall) ?? 0) + 1;
    counts.set(syscall, nth);
    return [{ syscall, nth, line }];
  });
}

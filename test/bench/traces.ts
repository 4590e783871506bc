import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { beside, type Program, type Stage } from './stage.ts';

/** The most memory that a Node program has had at any time, in KB. */
export async function peakMemory({ name, command, args, env }: Program): Promise<number> {
  const all = ['--require', beside('peak-memory.cjs'), ...args];
  const child = spawn(command, all, { env, stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  const [told, [exit]] = await Promise.all([text(child.stdio[3] as Readable), once(child, 'close')]);
  if (exit !== 0) throw new Error(`${name} ended with ${exit}`);
  return Number(told);
}

/** How many files a program opened, of those that are there. @throws where strace is missing. */
export function filesOpened({ folder }: Stage, { command, args, env }: Program): number {
  const log = join(folder, 'trace');
  const traced = ['-f', '-qq', '-e', 'trace=open,openat', '-z', '-o', log, command, ...args];
  const { status, error } = spawnSync('strace', traced, { env, stdio: 'ignore' });
  if (status !== 0) throw new Error('strace failed: apt-get install strace', { cause: error });
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.includes('open')).length;
}

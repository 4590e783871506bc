import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome, World } from './cli.ts';

/** A line of what `podio batch` prints. */
export interface Printed {
  readonly id: string | number;
  readonly status: number | null;
  readonly body?: unknown;
  readonly error?: { readonly code: string; readonly exit: number; readonly message: string };
  readonly ms: number;
  readonly attempts: number;
}

/** The lines that a batch printed. */
export function printedBy({ stdout }: Pick<Outcome, 'stdout'>): Printed[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** Puts lines in a file of the world's home; answers its path. */
export function fileOf(world: World, lines: readonly (string | object)[], name = 'calls'): string {
  const file = join(world.home, name);
  const texts = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  writeFileSync(file, `${texts.join('\n')}\n`);
  return file;
}

/** So many times the call of one item. */
export function calls(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `GET /item/${123 + (at % 100)}`);
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Figure } from './figures.ts';
import { inRounds, spread } from './rounds.ts';
import { BARE, beside, type Program, type Stage } from './stage.ts';

const CALLS = 10_000;

const LOOP = 'batch against a bare node:http loop, calls a second at concurrency 16';
const PROCESSES = 'batch against a process for each call, calls a second';
/** What `batchFigures` tells. */
export const BATCH = [LOOP, PROCESSES];

/** Many calls by one `podio batch`, against the barest loop that there is and against a process for each call. */
export async function batchFigures(stage: Stage, rounds: number): Promise<Figure[]> {
  const file = join(stage.folder, 'calls.ndjson');
  writeFileSync(file, 'GET /item/123\n'.repeat(CALLS));
  const batch = intoFile(stage.podio('podio batch', ['batch', file, '--concurrency', '16']), `${file}.out`);
  const call = stage.podio('podio call', ['call', 'GET', '/item/123']);
  const env = { ...BARE, API_URL: stage.apiUrl, TOKEN: await stage.token(), CALLS: String(CALLS) };
  const loop: Program = { name: 'loop', command: process.execPath, args: [beside('peers/loop.cjs')], env };
  const times = await inRounds([batch, call, loop], rounds);
  const took = (name: string) => times.get(name) ?? [];
  const against = (others: readonly number[], calls: number) =>
    spread(others.map((time, round) => (CALLS / (took(batch.name)[round] ?? 0)) * (time / calls)));
  return [
    {
      what: LOOP,
      ...{ goal: 0.8, isSpeed: true, measured: against(took(loop.name), CALLS) },
    },
    {
      what: PROCESSES,
      ...{ goal: 20, isSpeed: true, measured: against(took(call.name), 1) },
    },
  ];
}

// As whoever has so many answers does with them; the loop throws its own away, and nobody here has time to read them.
function intoFile({ name, command, args, env }: Program, file: string): Program {
  return { name, command: 'sh', args: ['-c', `exec "$@" > '${file}'`, 'sh', command, ...args], env };
}

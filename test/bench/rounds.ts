import { type Program, said } from './stage.ts';

/** What one program did in each round, in milliseconds; one more row for each round. */
export type Times = ReadonlyMap<string, readonly number[]>;

/** A ratio over all rounds: its median, and the quartiles that say how far to trust it. */
export interface Ratio {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Runs each program once a round, in another order each time. Whatever slows the machine down for a while so meets
 * all of them, and a ratio is formed inside its round.
 */
export async function inRounds(programs: readonly Program[], rounds: number): Promise<Times> {
  const times = new Map(programs.map(({ name }) => [name, [] as number[]]));
  for (const program of programs) await run(program);
  for (let round = 0; round < rounds; round++) {
    for (const program of shuffled(programs)) times.get(program.name)?.push(await run(program));
  }
  return times;
}

/** Milliseconds from the start of a program to its end. @throws where it fails: what fails is soon done. */
async function run(program: Program): Promise<number> {
  const since = performance.now();
  await said(program);
  return performance.now() - since;
}

/** How many times as long one took as another, round by round. */
export function ratio(times: Times, name: string, against: string): Ratio {
  const others = times.get(against) ?? [];
  return spread((times.get(name) ?? []).map((time, round) => time / (others[round] ?? Number.NaN)));
}

/** Median and quartiles of some figures. */
export function spread(figures: readonly number[]): Ratio {
  const sorted = figures.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN;
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}

function shuffled<T>(things: readonly T[]): T[] {
  const keyed = things.map((thing) => ({ thing, key: Math.random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ thing }) => thing);
}

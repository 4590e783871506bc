/** A random number from 0 to below 1. */
export type Random = () => number;

/** Random numbers that are the same at each run (mulberry32): what fails can be looked at again. */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from 0 to below `end`. */
export function below(end: number, random: Random): number {
  return Math.floor(random() * end);
}

/** One of several. @throws where there are none. */
export function oneOf<T>(all: readonly T[], random: Random): T {
  const chosen = all[below(all.length, random)];
  if (chosen === undefined) throw new Error('there is nothing to choose from');
  return chosen;
}

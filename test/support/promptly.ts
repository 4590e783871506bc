import { setTimeout as pause } from 'node:timers/promises';
import { type Outcome, outcome, type RunOptions, type World } from './cli.ts';

/** Runs a command line as a process that is killed (137) where it is not over in time. */
export async function promptly(
  world: World,
  words: readonly string[],
  { seconds = 20, ...options }: RunOptions & { readonly seconds?: number } = {},
): Promise<Outcome> {
  const child = world.start(words, options);
  const limit = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
  return outcome(child).finally(() => clearTimeout(limit));
}

/** What the work brings, or a failure where it is not over in time: a test that waits for ever tells nothing. */
export async function inTime<T>(work: Promise<T>, seconds = 20): Promise<T> {
  const limit = new AbortController();
  const late = pause(seconds * 1000, undefined, limit).then(() => {
    throw new Error(`it was not over within ${seconds} s`);
  });
  return Promise.race([work, late]).finally(() => limit.abort());
}

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

import type { Peer } from './peers.ts';
import { inRounds, type Ratio, ratio, spread } from './rounds.ts';
import { BARE, beside, type Program, type Stage, said } from './stage.ts';
import { filesOpened, peakMemory } from './traces.ts';

/** One figure: a ratio, what it should be, and what was measured; or why it was not. */
export interface Figure {
  readonly what: string;
  /** The most that it should be; for a speed, the least. */
  readonly goal: number;
  readonly isSpeed?: boolean;
  readonly measured?: Ratio;
  readonly missing?: string;
}

/** One program against another. */
interface Pair {
  readonly what: string;
  readonly goal: number;
  readonly program: Program;
  readonly against: string;
}

/** Whether a figure is asked for, by what it tells. */
export type Wanted = (what: string) => boolean;

/** The whole-process figures against these peers and among podio's own, all timed in the same rounds. */
export async function timedFigures(
  stage: Stage,
  peers: readonly Peer[],
  rounds: number,
  isWanted: Wanted,
): Promise<Figure[]> {
  const all = pairsOf(stage);
  const found = peers.filter((peer): peer is Program => 'command' in peer);
  const programs = new Map([...found, ...all.map(({ program }) => program)].map((one) => [one.name, one]));
  const names = [...peers.map(({ name }) => name), ...programs.keys()];
  const pairs = all.filter(({ what, against }) => isWanted(what) && names.includes(against));
  const used = new Set(pairs.flatMap(({ program, against }) => [program.name, against]));
  const times = await inRounds(
    [...programs.values()].filter(({ name }) => used.has(name)),
    rounds,
  );
  return pairs.map(({ what, goal, program, against }) => {
    const peer = peers.find(({ name }) => name === against);
    if (peer !== undefined && 'missing' in peer) return { what, goal, missing: peer.missing };
    return { what, goal, measured: ratio(times, program.name, against) };
  });
}

function pairsOf(stage: Stage): Pair[] {
  const get = ['call', 'GET', '/item/123'];
  const call = stage.podio('podio call', get);
  const tls = stage.podio('podio call, https', get, { tls: true });
  const keychain = stage.podio('podio call, keychain', get, { manager: 'keychain' });
  return [
    { what: 'call against `node -e 0`', goal: 1.6, program: call, against: 'node -e 0' },
    { what: 'call against curl', goal: 4, program: call, against: 'curl' },
    { what: 'call against php with Guzzle', goal: 1, program: call, against: 'php with Guzzle' },
    { what: 'call against gh api', goal: 0.72, program: call, against: 'gh api' },
    { what: 'call against podio-js', goal: 0.4, program: call, against: 'podio-js' },
    { what: 'call against python3', goal: 1, program: call, against: 'python3' },
    { what: 'https call against php', goal: 0.95, program: tls, against: 'php with Guzzle, https' },
    { what: 'call, keychain against file', goal: 1.9, program: keychain, against: call.name },
    ...['--version', '--help'].map((option) => ({
      what: `${option} against \`node -e 0\``,
      ...{ goal: 1.4, program: stage.podio(`podio ${option}`, [option]), against: 'node -e 0' },
    })),
    {
      what: 'token against `node -e 0`',
      ...{ goal: 1.5, program: stage.podio('podio token', ['token']), against: 'node -e 0' },
    },
  ];
}

const MEMORY = 'peak memory of a call against `node -e 0`';
const FILES = "files opened for a call beyond Node's own";
/** What `tracedFigures` tells. */
export const TRACED = [MEMORY, FILES];

/** How much memory one call takes at most, and what it opens. */
export async function tracedFigures(stage: Stage, rounds: number): Promise<Figure[]> {
  const call = stage.podio('podio call', ['call', 'GET', '/item/123']);
  const empty: Program = { name: 'node', command: process.execPath, args: [beside('empty.cjs')], env: BARE };
  const memory: number[] = [];
  for (let round = 0; round < rounds; round++)
    memory.push((await peakMemory(call)) / (await peakMemory(empty)));
  const opened = filesOpened(stage, call) - filesOpened(stage, empty);
  return [
    { what: MEMORY, goal: 1.2, measured: spread(memory) },
    { what: FILES, goal: 12, measured: spread([opened]) },
  ];
}

/** What `crowdFigure` tells. */
export const CROWD = '100 processes, one expired token against a valid one';

/** A hundred processes that find an expired token, against a hundred that find a valid one. */
export async function crowdFigure(stage: Stage, rounds: number): Promise<Figure> {
  const call = stage.podio('podio call', ['call', 'GET', '/item/123']);
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const valid = await crowd(call);
    await stage.expire();
    ratios.push((await crowd(call)) / valid);
  }
  return {
    what: CROWD,
    goal: 1.5,
    measured: spread(ratios),
  };
}

async function crowd(program: Program): Promise<number> {
  const since = performance.now();
  await Promise.all(Array.from({ length: 100 }, () => said(program)));
  return performance.now() - since;
}

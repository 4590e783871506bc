import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { BATCH, batchFigures } from './batch.ts';
import { CROWD, crowdFigure, type Figure, TRACED, timedFigures, tracedFigures } from './figures.ts';
import { FUNCTIONS, functionFigures } from './functions.ts';
import { findPeers, NODE, versions } from './peers.ts';
import { machine, recorded, table } from './report.ts';
import { beside, Stage } from './stage.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    short: { type: 'boolean' },
    write: { type: 'boolean' },
    rounds: { type: 'string', default: '31' },
    only: { type: 'string', default: '' },
  },
});

if (values.write && values.only !== '') throw new Error('--write replaces the whole table: leave --only out');

const RESULTS = beside('RESULTS.md');
const START = '<!-- measured -->';
const END = '<!-- /measured -->';

await using stage = await Stage.set();
const figures = values.short ? await shortForm() : await wholeForm();
process.stdout.write(values.json ? `${JSON.stringify(figures, undefined, 2)}\n` : `${table(figures)}\n`);
if (values.write) await record(figures);
if (values.short) compare(figures, recorded(await readFile(RESULTS, 'utf8')));

async function wholeForm(): Promise<Figure[]> {
  const rounds = Number(values.rounds);
  const isWanted = (what: string) => what.includes(values.only);
  const some = async (rows: readonly string[], measure: () => Promise<readonly Figure[]>) =>
    rows.some(isWanted) ? (await measure()).filter(({ what }) => isWanted(what)) : [];
  return [
    ...(await timedFigures(stage, findPeers(stage), rounds, isWanted)),
    ...(await some(TRACED, () => tracedFigures(stage, rounds))),
    ...(await some([CROWD], async () => [await crowdFigure(stage, Math.ceil(rounds / 6))])),
    ...(await some(BATCH, () => batchFigures(stage, Math.ceil(rounds / 6)))),
    ...(await some(FUNCTIONS, functionFigures)),
  ];
}

// Against Node and podio itself, which every machine has; what is worse than recorded has up to four more chances.
async function shortForm(): Promise<Figure[]> {
  const known = recorded(await readFile(RESULTS, 'utf8'));
  let best: Figure[] = [];
  for (let attempt = 1; attempt <= 5; attempt++) {
    const now = await timedFigures(stage, [NODE], 9, () => true);
    best = now.map((figure, at) => better(figure, best[at]));
    if (best.every((figure) => !isWorse(figure, known))) break;
  }
  return best;
}

function better(one: Figure, other: Figure = one): Figure {
  return (one.measured?.median ?? 0) <= (other.measured?.median ?? 0) ? one : other;
}

function isWorse({ what, measured }: Figure, known: ReadonlyMap<string, number>): boolean {
  return (measured?.median ?? 0) > (known.get(what) ?? Number.NaN) * (4 / 3);
}

function compare(found: readonly Figure[], known: ReadonlyMap<string, number>): void {
  const worse = found.filter((figure) => isWorse(figure, known));
  for (const { what, measured } of worse)
    process.stderr.write(`${what}: ${measured?.median.toFixed(2)}, recorded ${known.get(what)}\n`);
  if (worse.length > 0) process.exitCode = 1;
}

async function record(found: readonly Figure[]): Promise<void> {
  const old = await readFile(RESULTS, 'utf8');
  const [before = '', rest = ''] = old.split(START);
  const after = rest.split(END)[1] ?? '';
  const measured = `${new Date().toISOString().slice(0, 10)}, ${machine(versions())}\n\n${table(found)}`;
  writeFileSync(RESULTS, `${before}${START}\n\n${measured}\n\n${END}${after}`);
}

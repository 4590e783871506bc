import { Bench } from 'tinybench';
import { type Field, nest } from '../../src/cli/fields.ts';
import { visible } from '../../src/cli/output.ts';
import { decodeRecord, encodeRecord } from '../../src/values/record.ts';
import type { Figure } from './figures.ts';

const IDENTITY = {
  apiUrl: 'https://api.podio.com',
  clientId: 'bench',
  type: 'app',
  identifier: '1',
} as const;
const OAUTH = {
  ...{ accessToken: 'a'.repeat(32), refreshToken: 'r'.repeat(32), scope: 'global:all', expiresIn: 28_800 },
  ...{ ref: { type: 'app', id: 1 }, obtainedAt: 1_795_000_000_000 },
};

/** What `functionFigures` tells. */
export const FUNCTIONS = [
  'decodeRecord against JSON.parse',
  'nest against JSON.stringify',
  'visible against test',
];

/** What the functions on the way of a call take, each against the least that could do its work. */
export async function functionFigures(): Promise<Figure[]> {
  const record = encodeRecord(OAUTH, IDENTITY);
  const fields: Field[] = Array.from({ length: 20 }, (_, at) => ({ name: `fields[f${at}]`, value: at }));
  const line = 'a line of talk without anything to hide in it, as most are';
  const bench = new Bench({ time: 300 })
    .add('JSON.parse', () => void JSON.parse(record))
    .add('decodeRecord', () => void decodeRecord(record, IDENTITY))
    .add('JSON.stringify', () => void JSON.stringify(fields))
    .add('nest', () => void nest(fields))
    .add('test', () => void /\p{Cc}/u.test(line))
    .add('visible', () => void visible(line));
  await bench.run();
  return [
    against(bench, 'decodeRecord', 'JSON.parse', 60),
    against(bench, 'nest', 'JSON.stringify', 20),
    against(bench, 'visible', 'test', 10),
  ];
}

function against(bench: Bench, name: string, floor: string, goal: number): Figure {
  const [time, least] = [name, floor].map((task) => latency(bench, task));
  const median = (time ?? 0) / (least ?? 1);
  return { what: `${name} against ${floor}`, goal, measured: { median, low: median, high: median } };
}

function latency(bench: Bench, task: string): number {
  const result = bench.getTask(task)?.result;
  return result !== undefined && 'latency' in result ? result.latency.p50 : Number.NaN;
}

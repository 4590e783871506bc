import { cpus } from 'node:os';
import type { Figure } from './figures.ts';
import type { Ratio } from './rounds.ts';

const HEAD = ['what', 'goal', 'measured', 'quartiles', 'reached'];

/** The figures as a table in Markdown, as wide as its widest cells. */
export function table(figures: readonly Figure[]): string {
  const rows = [HEAD, HEAD.map(() => '---'), ...figures.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => line(row, widths)).join('\n');
}

function line(row: readonly string[], widths: readonly number[]): string {
  return `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
}

function cells(figure: Figure): string[] {
  const { what, goal, isSpeed, measured, missing } = figure;
  const aim = `${isSpeed ? '≥' : '≤'} ${goal}`;
  if (measured === undefined) return [what, aim, 'not measured', missing ?? '', ''];
  const { median, low, high } = measured;
  return [
    what,
    aim,
    short(median),
    `${short(low)}–${short(high)}`,
    isReached(figure, measured) ? 'yes' : 'no',
  ];
}

function short(figure: number): string {
  return figure >= 10 ? String(Math.round(figure)) : figure.toFixed(2);
}

/** Whether a figure is as good as it should be. */
export function isReached({ goal, isSpeed }: Figure, { median }: Ratio): boolean {
  return isSpeed ? median >= goal : median <= goal;
}

/** The figures of an earlier table, by what they tell. */
export function recorded(markdown: string): Map<string, number> {
  const rows = [...markdown.matchAll(/^\| ([^|]*[^| ]) +\| [≤≥][^|]*\| +([\d.]+) +\|/gm)];
  return new Map(rows.map(([, what = '', figure]) => [what, Number(figure)]));
}

/** On what and with what it was measured. */
export function machine(versions: Readonly<Record<string, string>>): string {
  const [cpu] = cpus();
  const here = `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${process.platform}, Node ${process.version}`;
  return [here, ...Object.entries(versions).map(([name, version]) => `${name} ${version}`)].join('; ');
}

import type { Output } from './io.ts';
import { visible } from './output.ts';

/** A name and what is to be said of it. What can be pasted is `whole`: no line end of ours stands in it. */
export interface Row {
  readonly name: string;
  readonly text: string;
  readonly isWhole?: boolean;
}

const INDENT = 2;

/** The rows under each other, their texts in one column; on a terminal wrapped there, wide characters counted as two. */
export async function inRows(rows: readonly Row[], { isTTY, columns }: Output): Promise<string> {
  const width = Math.max(...rows.map(({ name }) => name.length)) + 1;
  const room = isTTY && columns ? Math.max(columns - INDENT - width, 10) : undefined;
  const wrap = await wrapperFor(room);
  const under = `\n${' '.repeat(INDENT + width)}`;
  return rows
    .map(({ name, text, isWhole }) => {
      const lines = isWhole ? text : wrap(text).replaceAll('\n', under);
      return `${' '.repeat(INDENT)}${name.padEnd(width)}${lines}`;
    })
    .join('\n');
}

async function wrapperFor(room: number | undefined): Promise<(text: string) => string> {
  if (room === undefined) return (text) => text;
  const { default: wrapAnsi } = await import('wrap-ansi');
  return (text) => wrapAnsi(text, room, { hard: true });
}

/** A row with a text that others wrote: it gets no say in the layout. */
export function rowOf(name: string, text: string): Row {
  return { name, text: visible(text) };
}

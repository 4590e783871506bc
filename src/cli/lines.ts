import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { UsageError } from '../errors.ts';

/** A line of text and its number, counted from 1. */
export interface NumberedLine {
  readonly number: number;
  readonly text: string;
}

const LONGEST_LINE = 16 * 1024 * 1024;
const LINE_END = 0x0a;

/** The lines of a stream that hold anything, without the blanks around them. @throws {UsageError} for one that is no text. */
export async function* linesOf(stream: Readable, name: string): AsyncGenerator<NumberedLine> {
  let number = 0;
  for await (const lines of rawLines(stream, name)) {
    for (const bytes of lines) {
      number += 1;
      if (!isUtf8(bytes)) throw new UsageError(`${name}: line ${number} is not UTF-8`);
      const text = bytes.toString().trim();
      if (text !== '') yield { number, text };
    }
  }
}

// Those of each piece together: a step of a generator for each line takes longer than the line.
async function* rawLines(stream: Readable, name: string): AsyncGenerator<Buffer[]> {
  let rest: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const lines: Buffer[] = [];
    let from = 0;
    for (let to = chunk.indexOf(LINE_END); to >= 0; to = chunk.indexOf(LINE_END, from)) {
      const end = chunk.subarray(from, to);
      lines.push(rest.length === 0 ? end : Buffer.concat([...rest, end]));
      [rest, length, from] = [[], 0, to + 1];
    }
    yield lines;
    rest.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > LONGEST_LINE) throw new UsageError(`${name}: a line is longer than 16 MB`);
  }
  if (length > 0) yield [Buffer.concat(rest)];
}

/** How many lines of a file are not empty. */
export async function countLines(file: string): Promise<number> {
  let count = 0;
  let last = LINE_END;
  for await (const chunk of createReadStream(file)) {
    for (const byte of chunk as Buffer) {
      if (byte !== LINE_END && last === LINE_END) count += 1;
      last = byte;
    }
  }
  return count;
}

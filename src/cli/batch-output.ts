import { isUtf8 } from 'node:buffer';
import type { BatchResult } from '../client/batch.ts';
import type { Failure } from '../errors.ts';
import { exitCodeOf } from './exit-codes.ts';
import type { Output } from './io.ts';
import { write } from './output.ts';

/** One result as a line of JSON, its line end included. */
export function resultLine(result: BatchResult): Buffer {
  const { line, status, failure, body, ms, attempts } = result;
  const head = `{"id":${JSON.stringify(line.id)},"status":${status ?? null},`;
  const tail = `,"ms":${Math.round(ms)},"attempts":${attempts}}\n`;
  if (failure === undefined) return inOne(`${head}"body":`, jsonOf(body), tail);
  const error = errorOf(failure);
  if (body.length === 0) return Buffer.from(`${head}"error":${error}${tail}`);
  return inOne(`${head}"error":${error.slice(0, -1)},"body":`, jsonOf(body), `}${tail}`);
}

function inOne(head: string, body: Buffer, tail: string): Buffer {
  return Buffer.concat([Buffer.from(head), body, Buffer.from(tail)]);
}

function errorOf(failure: Failure): string {
  const { exit, code } = exitCodeOf(failure);
  const { message, hint } = failure;
  return JSON.stringify({ code, exit, message, hint });
}

// JSON stays as it came, its numbers to the last digit; only line ends between its parts must go.
function jsonOf(body: Buffer): Buffer {
  if (body.length === 0) return Buffer.from('null');
  if (!isUtf8(body)) return Buffer.from(JSON.stringify(body.toString('base64')));
  if (!isJson(body)) return Buffer.from(JSON.stringify(body.toString()));
  if (!body.includes('\n') && !body.includes('\r')) return body;
  return Buffer.from(body.toString().replace(/[\r\n]+/g, ' '));
}

// Read byte by byte: what makes it JSON is ASCII, and between quotes any other byte of UTF-8 may stand for a character.
function isJson(body: Buffer): boolean {
  try {
    JSON.parse(body.toString('latin1'));
    return true;
  } catch {
    return false;
  }
}

/** A line to write, and what is to be done once it has been written. */
interface Pending {
  readonly line: Buffer;
  readonly onWritten: () => void;
}

const MOST_UNWRITTEN = 1024 * 1024;

/** Writes lines no faster than they are read: as many at once as have come since the last writing. */
export class LineWriter {
  readonly #stream: Output;
  readonly #onError: () => void;
  #pending: Pending[] = [];
  #length = 0;
  #writing: Promise<void> | undefined;
  #error: unknown;

  constructor({ stream, onError }: { stream: Output; onError: () => void }) {
    this.#stream = stream;
    this.#onError = onError;
  }

  add(pending: Pending): void {
    this.#pending.push(pending);
    this.#length += pending.line.length;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves as soon as more may come. @throws {OutputClosed} where the reader has gone. */
  async room(): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    if (this.#length > MOST_UNWRITTEN) await this.end();
  }

  /** Resolves once all is written. @throws {OutputClosed} where the reader has gone. */
  async end(): Promise<void> {
    await this.#writing;
    if (this.#error !== undefined) throw this.#error;
  }

  async #writeAll(): Promise<void> {
    try {
      // What comes in the same turn goes out together.
      await new Promise(setImmediate);
      while (this.#pending.length > 0) await this.#writeSome();
    } catch (error) {
      this.#error = error;
      this.#onError();
    } finally {
      this.#writing = undefined;
    }
  }

  async #writeSome(): Promise<void> {
    const some = this.#pending;
    this.#pending = [];
    this.#length = 0;
    await write(this.#stream, Buffer.concat(some.map(({ line }) => line)));
    for (const { onWritten } of some) onWritten();
  }
}

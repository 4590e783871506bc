import { isUtf8 } from 'node:buffer';
import type { BatchResult } from '../client/batch.ts';
import type { Failure } from '../errors.ts';
import { exitCodeOf } from './exit-codes.ts';
import type { Output } from './io.ts';
import { write } from './output.ts';

/** One result as a line of JSON, its line end included. */
export function resultLine(result: BatchResult): string {
  const { line, status, failure, ms, attempts } = result;
  const head = `{"id":${JSON.stringify(line.id)},"status":${status ?? null}`;
  const content =
    failure === undefined ? `"body":${jsonOf(result.body)}` : `"error":${errorOf(failure, result.body)}`;
  return `${head},${content},"ms":${Math.round(ms)},"attempts":${attempts}}\n`;
}

function errorOf(failure: Failure, body: Buffer): string {
  const { exit, code } = exitCodeOf(failure);
  const { message, hint } = failure;
  const error = JSON.stringify({ code, exit, message, hint });
  return body.length === 0 ? error : `${error.slice(0, -1)},"body":${jsonOf(body)}}`;
}

// JSON stays as it came, its numbers to the last digit; only line ends between its parts must go.
function jsonOf(body: Buffer): string {
  if (body.length === 0) return 'null';
  if (!isUtf8(body)) return JSON.stringify(body.toString('base64'));
  const text = body.toString();
  if (!isJson(text)) return JSON.stringify(text);
  return text.includes('\n') || text.includes('\r') ? text.replace(/[\r\n]+/g, ' ') : text;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A line to write, and what is to be done once it has been written. */
interface Pending {
  readonly text: string;
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
    this.#length += pending.text.length;
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
      await Promise.resolve();
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
    await write(this.#stream, some.map(({ text }) => text).join(''));
    for (const { onWritten } of some) onWritten();
  }
}

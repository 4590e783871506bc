import { fstatSync, writeSync } from 'node:fs';
import type { Output } from './io.ts';

// What the smallest pipe takes at once, even where nobody reads yet (POSIX's PIPE_BUF).
const FEW = 4096;

/**
 * Standard output that is a pipe, a file or a socket takes a few bytes at once: Node's stream for it would be a tenth of what a
 * short command costs. It is opened for more, for terminals, and where the pipe takes nothing now; from then on all
 * goes through it.
 */
export class PlainOutput implements Output {
  readonly #descriptor: number;
  readonly #open: () => Output;
  #stream: Output | undefined;

  /** `open` makes Node's stream of the descriptor. */
  constructor({ descriptor, open }: { descriptor: number; open: () => Output }) {
    this.#descriptor = descriptor;
    this.#open = open;
    if (!isPlain(descriptor)) this.#stream = open();
  }

  get isTTY(): boolean {
    return this.#stream?.isTTY ?? false;
  }

  get columns(): number | undefined {
    return this.#stream?.columns;
  }

  write(data: string | Uint8Array, done?: (error?: Error | null) => void): boolean {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (this.#stream !== undefined || bytes.length > FEW) return this.#through(bytes, done);
    try {
      const written = writeSync(this.#descriptor, bytes);
      if (written < bytes.length) return this.#through(bytes.subarray(written), done);
      done?.();
    } catch (error) {
      if (isBusy(error)) return this.#through(bytes, done);
      done?.(error instanceof Error ? error : new Error(String(error)));
    }
    return true;
  }

  #through(bytes: Uint8Array, done?: (error?: Error | null) => void): boolean {
    this.#stream ??= this.#open();
    return this.#stream.write(bytes, done);
  }
}

function isPlain(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    return process.platform !== 'win32' && (stat.isFIFO() || stat.isFile() || stat.isSocket());
  } catch {
    return false;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EAGAIN' || error.code === 'EINTR');
}

import type { Readable } from 'node:stream';
import type { BodySource } from '../values/body.ts';
import type { Io } from './io.ts';

/** What is counted: bytes are told in kB, MB and GB, anything else by its name. */
export interface ProgressOptions {
  /** What is going on, e.g. `sending`. */
  readonly what: string;
  readonly unit: 'bytes' | 'items' | 'calls';
  /** How many there will be; undefined where nobody knows. */
  readonly total?: number | undefined;
}

const REDRAW_MS = 100;
// What is over in a moment needs no telling.
const PATIENCE_MS = 500;
const LEAST_BYTES = 1_000_000;

/**
 * One line on standard error that tells how far something has come: how much, how fast, how long still. Drawn only where
 * standard error is a terminal; `end` takes it away before anything else is printed. It keeps no timer.
 */
export class Progress {
  readonly #io: Io;
  readonly #options: ProgressOptions;
  readonly #since = performance.now();
  #count = 0;
  #drawnAt = 0;

  constructor(io: Io, options: ProgressOptions) {
    this.#io = io;
    this.#options = options;
  }

  /** So many more are done. */
  add(count: number): void {
    this.#count += count;
    const now = performance.now();
    const isDue = now - this.#since >= PATIENCE_MS && now - this.#drawnAt >= REDRAW_MS;
    if (!isDue || !this.#isWanted()) return;
    this.#drawnAt = now;
    const { columns = 80 } = this.#io.stderr;
    this.#io.stderr.write(`\r${this.#line().slice(0, columns - 1)}\u001b[K`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#drawnAt > 0) this.#io.stderr.write('\r\u001b[K');
    this.#drawnAt = 0;
  }

  #isWanted(): boolean {
    const { stderr, env, manner } = this.#io;
    const { unit, total = this.#count } = this.#options;
    if (stderr.isTTY !== true || env.TERM === 'dumb' || env.CI || manner?.json) return false;
    return unit !== 'bytes' || total >= LEAST_BYTES;
  }

  #line(): string {
    const { what, unit, total } = this.#options;
    const rate = this.#count / ((performance.now() - this.#since) / 1000);
    const share = total === undefined ? '' : ` of ${this.#amount(total)} (${percent(this.#count, total)})`;
    const left = total === undefined || rate === 0 ? '' : `, ${duration((total - this.#count) / rate)} left`;
    const done = unit === 'bytes' || total === undefined ? this.#amount(this.#count) : String(this.#count);
    return `${what} ${done}${share}, ${this.#amount(rate)}/s${left}`;
  }

  #amount(count: number): string {
    if (this.#options.unit !== 'bytes') return `${Math.round(count)} ${this.#options.unit}`;
    const power = count >= 1e9 ? 3 : count >= 1e6 ? 2 : 1;
    return `${(count / 1000 ** power).toFixed(power === 1 ? 0 : 1)} ${['', 'kB', 'MB', 'GB'][power]}`;
  }
}

function percent(count: number, total: number): string {
  return `${total === 0 ? 100 : Math.floor((Math.min(count, total) / total) * 100)} %`;
}

function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** The same stream, its bytes counted as they pass. */
export function counted(stream: Readable, progress: Progress): Readable {
  stream.on('data', (chunk: Buffer) => progress.add(chunk.length));
  stream.once('close', () => progress.end());
  // Whoever listens to data sets it flowing; its reader is the one to do that.
  return stream.pause();
}

/** The same body, the bytes of each time it is sent counted. */
export function countedBody(body: BodySource, io: Io): BodySource {
  const begin = () => new Progress(io, { what: 'sending', unit: 'bytes', total: body.length });
  return { length: body.length, open: () => counted(body.open(), begin()) };
}

import type { Readable, Writable } from 'node:stream';
import type { Environment } from '../values/places.ts';

/** A stream that may be a terminal. */
export type Input = Readable & { isTTY?: boolean };
/** Where words go. */
export interface Output {
  write(data: string | Uint8Array, done?: (error?: Error | null) => void): boolean;
  readonly isTTY?: boolean;
  readonly columns?: number | undefined;
}

/** When to use colour: `auto` is where the stream is a terminal that takes it. */
export type ColorChoice = 'auto' | 'always' | 'never';

/** How the user wants to be talked to. */
export interface Manner {
  /** Whether talk is for programs: each line of it is a JSON object then. */
  readonly json: boolean;
  readonly color: ColorChoice;
}

/** The outside world, as the program sees it. */
export interface Io {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output & Writable;
  readonly env: Environment;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Aborts with an InterruptedError once a signal asks the program to stop. */
  readonly signal: AbortSignal;
  /** In words, and colour where it is taken, unless told. */
  readonly manner?: Manner;
}

/** The same world, spoken to in another manner; its streams are not looked at before they are used. */
export function inManner(io: Io, manner: Manner): Io {
  return Object.create(io, { manner: { value: manner } });
}

/** The same world, where a question is taken back by another signal. */
export function withSignal(io: Io, signal: AbortSignal): Io {
  return Object.create(io, { signal: { value: signal } });
}

import type { Readable, Writable } from 'node:stream';
import type { Environment } from '../values/places.ts';

/** A stream that may be a terminal. */
export type Input = Readable & { isTTY?: boolean };
export type Output = Writable & { isTTY?: boolean; columns?: number };

/** The outside world, as the program sees it. */
export interface Io {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Environment;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Aborts with an InterruptedError once a signal asks the program to stop. */
  readonly signal: AbortSignal;
}

import { setMaxListeners } from 'node:events';
import {
  Failure,
  InterruptedError,
  NotLoggedInError,
  RateLimitError,
  StoreError,
  UsageError,
} from '../errors.ts';
import { readWhole } from '../http/decoding.ts';
import type { HttpResponse } from '../http/http.ts';
import type { RateLimit } from '../values/rate-limit.ts';
import type { BatchLine } from './batch-line.ts';
import { brokenAnswer, failureOf } from './failures.ts';
import { InOrder } from './in-order.ts';
import type { ApiCall } from './podio-client.ts';
import type { RateGate } from './rate-gate.ts';

/** What became of one line. */
export interface BatchResult {
  readonly line: BatchLine;
  /** Undefined where there was no answer. */
  readonly status: number | undefined;
  readonly body: Buffer;
  /** Why it is not a success. */
  readonly failure: Failure | undefined;
  /** From the first sending to the end of the last answer. */
  readonly ms: number;
  /** How often it was sent; 0 where it never was. */
  readonly attempts: number;
}

/** An answer, its body read to the end where that has been done already. */
export interface BatchAnswer extends HttpResponse {
  readonly whole?: Buffer | undefined;
}

const LONGEST_BODY = 64 * 1024 * 1024;

/** What a line is worth before it is sent: itself, nothing (an earlier run has done it), or a reason against it. */
export type Verdict = 'send' | 'skip' | Failure;

/** What a batch is made of. */
export interface BatchOptions {
  readonly lines: AsyncIterator<BatchLine>;
  /** Sends one call, over and over where that may help; `onAttempt` hears of each time. */
  readonly send: (call: ApiCall, line: BatchLine, onAttempt: () => void) => Promise<BatchAnswer>;
  readonly rateLimit: () => RateLimit | undefined;
  readonly gate: RateGate;
  /** Calls in flight at the same time. */
  readonly concurrency: number;
  /** Whether results come as they finish, and not in the order of the lines. */
  readonly isUnordered: boolean;
  /** Whether the first failure ends it. */
  readonly failFast: boolean;
  /** Waits for a place among the calls of other processes, and answers what gives it back. */
  readonly place?: ((signal: AbortSignal) => Promise<() => void>) | undefined;
  readonly judge: (line: BatchLine) => Verdict;
  readonly onResult: (result: BatchResult) => void;
  /** Resolves when results may go on coming. */
  readonly room: () => Promise<void>;
  /** Ends it in order: nothing more is sent. */
  readonly signal: AbortSignal;
  /** Hears that nothing more is sent: no other line need be waited for. */
  readonly onStop: () => void;
}

/** How a batch ended. */
export interface BatchEnd {
  /** Why not all lines were sent; undefined where all were. */
  readonly reason: unknown;
  /** Whether the result of a line says so already. */
  readonly isTold: boolean;
  /** Lines that were sent and whose answer did not come before the end. */
  readonly unanswered: readonly BatchLine[];
}

const NOTHING = Buffer.alloc(0);
/** For each connection, so many results may wait for a slow one before them. */
const WINDOW = 8;

/** Sends many calls, so many at the same time, over what `send` keeps open. Holds no more of them than are in work. */
export class Batch {
  readonly #options: BatchOptions;
  readonly #order: InOrder<BatchResult>;
  readonly #unanswered: BatchLine[] = [];
  readonly #end = new AbortController();
  #taken = 0;
  #isTold = false;

  constructor(options: BatchOptions) {
    this.#options = options;
    // Each call in flight listens to it.
    setMaxListeners(0, this.#end.signal);
    this.#order = new InOrder({ most: options.concurrency * WINDOW, handOn: options.onResult });
  }

  /** Sends all of it. Resolves once nothing is in flight, whatever ended it. */
  async run(): Promise<BatchEnd> {
    const { concurrency, signal } = this.#options;
    const stop = () => this.#stop(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    await Promise.all(Array.from({ length: concurrency }, () => this.#work()));
    signal.removeEventListener('abort', stop);
    this.#order.flush();
    const reason: unknown = this.#end.signal.reason;
    return { reason, isTold: this.#isTold, unanswered: this.#unanswered };
  }

  async #work(): Promise<void> {
    try {
      while (await this.#workOnNext());
    } catch (error) {
      this.#stop(error);
    }
  }

  async #workOnNext(): Promise<boolean> {
    const { lines, room } = this.#options;
    await room();
    await this.#order.room();
    const next = this.#end.signal.aborted ? undefined : await lines.next();
    if (next === undefined || next.done || this.#end.signal.aborted) return false;
    const number = this.#taken++;
    this.#give(number, await this.#resultOf(next.value));
    return true;
  }

  #give(number: number, result: BatchResult | undefined): void {
    const { isUnordered, onResult, failFast } = this.#options;
    if (isUnordered && result !== undefined) onResult(result);
    this.#order.put(number, isUnordered ? undefined : result);
    if (!failFast || result?.failure === undefined || this.#end.signal.aborted) return;
    this.#isTold = true;
    this.#stop(result.failure);
  }

  async #resultOf(line: BatchLine): Promise<BatchResult | undefined> {
    if (line.call instanceof Failure) return unsent(line, line.call);
    const verdict = this.#options.judge(line);
    if (verdict === 'skip') return undefined;
    return verdict === 'send' ? this.#send(line, line.call) : unsent(line, verdict);
  }

  // A call that is rate limited has done nothing: it waits with all others and goes again, or ends the batch.
  async #send(line: BatchLine, call: ApiCall): Promise<BatchResult> {
    const { gate, place } = this.#options;
    for (let since = 0, attempts = 0; ; ) {
      const leave = await place?.(this.#end.signal);
      const outcome = await gate
        .enter(this.#end.signal)
        .then(() => {
          since ||= performance.now();
          return this.#outcomeOf(line, call);
        })
        .finally(leave);
      attempts += outcome.attempts;
      const { failure } = outcome;
      const isLimited = failure instanceof RateLimitError;
      if (isLimited && gate.limited(failure.waitSeconds)) continue;
      if (isLimited) this.#stop(failure);
      return { line, ...outcome, attempts, ms: performance.now() - since };
    }
  }

  async #outcomeOf(line: BatchLine, call: ApiCall): Promise<Outcome> {
    const { gate, send, rateLimit } = this.#options;
    try {
      const outcome = await outcomeOf((onAttempt) => send(call, line, onAttempt));
      gate.leave(rateLimit(), outcome.failure instanceof RateLimitError);
      return outcome;
    } catch (error) {
      gate.leave(rateLimit(), true);
      // Without a session it was never sent; whatever else ended it may have done so on the way.
      if (!isAboutSession(error)) this.#unanswered.push(line);
      throw error;
    }
  }

  // The first reason is the one that counts.
  #stop(reason: unknown): void {
    if (!this.#end.signal.aborted) this.#options.onStop();
    this.#end.abort(reason);
  }
}

type Outcome = Omit<BatchResult, 'line' | 'ms'>;

// What is wrong with one call is its result; what is wrong with all of them ends the batch.
async function outcomeOf(send: (onAttempt: () => void) => Promise<BatchAnswer>): Promise<Outcome> {
  let attempts = 0;
  try {
    const answer = await send(() => {
      attempts += 1;
    });
    return { ...(await answered(answer)), attempts };
  } catch (error) {
    const isOfCall = error instanceof Failure && !(error instanceof InterruptedError);
    if (!isOfCall || isAboutSession(error)) throw error;
    const isSent = !(error instanceof UsageError);
    return { status: undefined, body: NOTHING, failure: error, attempts: isSent ? attempts : 0 };
  }
}

async function answered(answer: BatchAnswer): Promise<Omit<Outcome, 'attempts'>> {
  const { status, whole } = answer;
  const body = whole ?? (await wholeBody(answer));
  const failure = status < 300 ? undefined : failureOf(answer, body.toString());
  return { status, body, failure };
}

/** The body of an answer, read to its end. @throws {ConnectionError} where it breaks off. @throws {PodioError} where it is too long. */
export function wholeBody(answer: HttpResponse): Promise<Buffer> {
  const tooLong = () => brokenAnswer(answer, 'the answer is too long to be read at once');
  return readWhole(answer.body, LONGEST_BODY, tooLong);
}

function isAboutSession(error: unknown): boolean {
  return error instanceof NotLoggedInError || error instanceof StoreError;
}

function unsent(line: BatchLine, failure: Failure): BatchResult {
  return { line, status: undefined, body: NOTHING, failure, ms: 0, attempts: 0 };
}

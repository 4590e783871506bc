import { setTimeout as pause } from 'node:timers/promises';
import { RateLimitError } from '../errors.ts';
import type { RateLimit } from '../values/rate-limit.ts';

/** How far the rate budget may be used, and how long may be waited for another. */
export interface RateGateOptions {
  /** Calls of the hour that are left to others; 0 uses up all. */
  readonly minRemaining: number;
  /** Milliseconds that may be waited at a stretch, without a call that got through. */
  readonly waitMs: number;
  /** What another process has seen of late. */
  readonly known: RateLimit | undefined;
  /** Hears of each wait, in seconds. */
  readonly onWait: (seconds: number) => void;
}

// What Podio does not name a time for is tried again after a second, then two, four …
const FIRST_TRY_MS = 1000;
const LONGEST_TRY_MS = 300_000;

/**
 * The one gate that all calls of a batch go through. A call that is rate limited closes it for all; what the answers
 * say of the budget keeps it from being used beyond what is allowed, calls in flight included.
 */
export class RateGate {
  readonly #options: RateGateOptions;
  #budget: RateLimit | undefined;
  #hasAnswer = false;
  #inFlight = 0;
  #closedUntil = 0;
  #waitedMs = 0;
  #tryMs = FIRST_TRY_MS;
  #mayTry = false;
  #wake: (() => void)[] = [];

  constructor(options: RateGateOptions) {
    this.#options = options;
    this.#budget = options.known;
  }

  /** Resolves when a call may be sent; it is then in flight. @throws {RateLimitError} where it may not, for longer than one may wait. */
  async enter(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const left = this.#closedUntil - performance.now();
      if (left > 0) await pause(left, undefined, { signal });
      else if (this.#hasRoom()) break;
      else if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#wake.push(resolve));
      else this.#waitForBudget();
    }
    this.#mayTry = false;
    this.#inFlight += 1;
  }

  /** A call is no longer in flight; `seen` is what was last said of the budget. */
  leave(seen: RateLimit | undefined, wasLimited: boolean): void {
    this.#inFlight -= 1;
    this.#hasAnswer = true;
    this.#budget = seen;
    if (!wasLimited && this.#hasRoom()) this.#goOn();
    const woken = this.#wake;
    this.#wake = [];
    for (const wake of woken) wake();
  }

  /** A call was rate limited. Answers whether it is worth its while to enter again. */
  limited(waitSeconds: number | undefined): boolean {
    // Nothing is sent while it is closed: this is a call from before, and the wait is for it too.
    if (this.#closedUntil > performance.now()) return true;
    return this.#close(waitSeconds === undefined ? this.#nextTry() : waitSeconds * 1000);
  }

  #hasRoom(): boolean {
    const { minRemaining } = this.#options;
    if (minRemaining === 0 || this.#mayTry) return true;
    // Until the first answer the budget is unknown: one call finds out.
    if (this.#budget === undefined) return this.#hasAnswer || this.#inFlight === 0;
    return this.#budget.remaining - this.#inFlight > minRemaining;
  }

  // Podio does not say when the hour ends: now and then one call finds out.
  #waitForBudget(): void {
    if (!this.#close(this.#nextTry())) throw this.#tooFewLeft();
    this.#mayTry = true;
  }

  // Whatever was waited for has come.
  #goOn(): void {
    if (this.#closedUntil > performance.now()) return;
    this.#waitedMs = 0;
    this.#tryMs = FIRST_TRY_MS;
  }

  #nextTry(): number {
    const ms = this.#tryMs;
    this.#tryMs = Math.min(2 * ms, LONGEST_TRY_MS);
    return ms;
  }

  #close(ms: number): boolean {
    if (this.#waitedMs + ms > this.#options.waitMs) return false;
    this.#waitedMs += ms;
    this.#closedUntil = performance.now() + ms;
    this.#options.onWait(Math.ceil(ms / 1000));
    return true;
  }

  #tooFewLeft(): RateLimitError {
    const left = this.#budget?.remaining ?? 0;
    return new RateLimitError(
      `${left} calls are left in this hour, and ${this.#options.minRemaining} are to stay`,
      {
        status: 0,
        error: '',
        waitSeconds: undefined,
        hint: 'try again later, or wait with --wait SECONDS; podio limits --fresh tells what is left',
      },
    );
  }
}

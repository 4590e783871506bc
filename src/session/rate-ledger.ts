import { RATE_WINDOW_MS, type RateLimit } from '../values/rate-limit.ts';
import type { LimitStore } from '../values/session-manager.ts';

/** Where figures are kept, and what time it is. */
export interface RateLedgerOptions {
  readonly store: LimitStore;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/**
 * The rate budget last seen for an identity, by whichever process saw it. It is a hint and no more: each answer of
 * Podio's brings the true figure. So what goes wrong with keeping it stops nobody.
 */
export class RateLedger {
  readonly #store: LimitStore;
  readonly #now: () => number;

  constructor({ store, now }: RateLedgerOptions) {
    this.#store = store;
    this.#now = now;
  }

  /** The last figure; undefined where none was seen within the hour. @throws {StoreError} */
  async last(): Promise<RateLimit | undefined> {
    const seen = await this.#store.last();
    const age = this.#now() - (seen?.seenAt ?? 0);
    return age >= 0 && age < RATE_WINDOW_MS ? seen : undefined;
  }

  /**
   * Keeps a figure if it tells something new: every hundredth part of the budget, and every call of the last tenth.
   * Which calls these are shows in the figure itself, so that all others cost neither a read nor a write.
   */
  note(seen: RateLimit): void {
    const step = Math.ceil(seen.limit / 100);
    if (seen.remaining % step === 0 || seen.remaining * 10 < seen.limit) void this.keep(seen);
  }

  /** Keeps a figure. */
  async keep(seen: RateLimit): Promise<void> {
    await this.#store.keep(seen);
  }
}

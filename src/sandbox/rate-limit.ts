import { Refusal } from './refusal.ts';

interface Window {
  /** Epoch milliseconds. */
  readonly endsAt: number;
  used: number;
}

/** A budget of requests for each key and window of time (developers.podio.com/index/limits). */
export class RateLimit {
  readonly #limit: number;
  readonly #waitSeconds: number;
  readonly #windows = new Map<string, Window>();

  constructor({ limit, waitSeconds }: { readonly limit: number; readonly waitSeconds: number }) {
    this.#limit = limit;
    this.#waitSeconds = waitSeconds;
  }

  /**
   * Takes one request off a key's budget.
   * @throws {Refusal} 420 where nothing is left; the wait it names is the length of the whole window.
   */
  spend(key: string): void {
    const window = this.#window(key);
    if (window.used >= this.#limit) throw this.#exceeded();
    window.used += 1;
    this.#windows.set(key, window);
  }

  /** `X-Rate-Limit-*` as they stand for a key; none where the budget has no end. */
  headers(key: string): Record<string, string> {
    if (this.#limit === Number.POSITIVE_INFINITY) return {};
    const remaining = Math.max(0, this.#limit - this.#window(key).used);
    return { 'x-rate-limit-limit': String(this.#limit), 'x-rate-limit-remaining': String(remaining) };
  }

  #window(key: string): Window {
    const window = this.#windows.get(key);
    const isOpen = window !== undefined && Date.now() < window.endsAt;
    return isOpen ? window : { endsAt: Date.now() + this.#waitSeconds * 1000, used: 0 };
  }

  #exceeded(): Refusal {
    const wait = Math.ceil(this.#waitSeconds);
    const text = `You have hit the rate limit. Please wait ${wait} seconds before trying again.`;
    return new Refusal(420, 'rate_limit', text);
  }
}

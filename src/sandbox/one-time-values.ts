import { randomBytes } from 'node:crypto';

interface Kept<Value> {
  readonly value: Value;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** Values behind random keys, each given out once: authorization codes, nonces of two-step verification. */
export class OneTimeValues<Value> {
  readonly #kept = new Map<string, Kept<Value>>();
  readonly #lifetime: number;

  constructor(lifetimeSeconds = 600) {
    this.#lifetime = lifetimeSeconds * 1000;
  }

  /** Keeps a value; the key is 32 hex digits. */
  put(value: Value): string {
    const key = randomBytes(16).toString('hex');
    this.#kept.set(key, { value, expiresAt: Date.now() + this.#lifetime });
    return key;
  }

  /** The value, which stays; undefined where the key is unknown, used or too old. */
  peek(key: string): Value | undefined {
    const kept = this.#kept.get(key);
    return kept && Date.now() < kept.expiresAt ? kept.value : undefined;
  }

  /** Uses the key up. */
  drop(key: string): void {
    this.#kept.delete(key);
  }
}

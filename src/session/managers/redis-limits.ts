import { limitIn, limitText, RATE_WINDOW_MS } from '../../values/rate-limit.ts';
import type { LimitStore } from '../../values/session-manager.ts';
import type { RedisConnection } from './redis-connection.ts';

/** What Podio last said of rate budgets, in Redis, for as long as it can mean anything. */
export class RedisLimits {
  readonly #connection: RedisConnection;
  /** On their way, and nobody waits for them. */
  readonly #keeping = new Set<Promise<unknown>>();

  constructor({ connection }: { connection: RedisConnection }) {
    this.#connection = connection;
  }

  /** Those of one identity, under a key of their own. */
  at(key: string): LimitStore {
    return {
      last: async () => limitIn((await this.#connection.ask((client) => client.get(key))) ?? ''),
      keep: async (seen) => {
        const write = this.#connection.ask((client) =>
          client.set(key, limitText(seen), 'PX', RATE_WINDOW_MS),
        );
        // It is a hint, that stops nobody.
        const kept = write.catch(() => undefined).finally(() => this.#keeping.delete(kept));
        this.#keeping.add(kept);
        await kept;
      },
    };
  }

  /** Resolves once nothing is on its way. */
  async settled(): Promise<void> {
    await Promise.all(this.#keeping);
  }
}

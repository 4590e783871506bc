import { connect, LIMIT_MS, type RedisClient, type RedisClientOptions } from './redis-client.ts';
import { faultOf, RedisError } from './redis-errors.ts';
import { addressOf } from './redis-url.ts';

/** So many commands in a row must not take so many times three seconds. */
const REST_MS = 5_000;

const STEP_MS = 100;

/**
 * Asks one Redis. Each question is answered or refused within 3 s; who did not answer is not asked again for 5 s.
 * While nothing is asked the connection keeps no process from ending.
 */
export class RedisConnection {
  readonly #options: RedisClientOptions;
  #client: Promise<RedisClient> | undefined;
  #ending = new AbortController();
  #asking = 0;
  #restUntil = 0;

  constructor(options: RedisClientOptions) {
    this.#options = options;
  }

  /** The address, without what is secret. */
  get address(): string {
    return addressOf(this.#options.url);
  }

  /** Asks; once more on a new connection where the old one had broken: `ask` must bear to be done twice. @throws {RedisError} */
  async ask<T>(ask: (client: RedisClient) => Promise<T>, key?: string): Promise<T> {
    if (performance.now() < this.#restUntil) throw new RedisError('no-answer', this.address);
    try {
      return await this.#inTime(() => this.#askTwice(ask));
    } catch (error) {
      const fault = faultOf(error);
      if (fault === 'no-answer') this.#restUntil = performance.now() + REST_MS;
      if (fault === 'no-answer' || fault === 'broken') await this.close();
      throw new RedisError(fault, this.address, fault === 'wrong-type' ? key : undefined);
    }
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#ending.abort();
    this.#ending = new AbortController();
    // Who waits for one that is still being made is told.
    await client?.catch(() => undefined);
  }

  // Counted in steps: a process that waits for a processor must not blame Redis for it, with the answer there unread.
  async #inTime<T>(work: () => Promise<T>): Promise<T> {
    let left = LIMIT_MS / STEP_MS;
    let steps: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const step = () => --left > 0 || reject(new RedisError('no-answer', this.address));
      steps = setInterval(step, STEP_MS);
    });
    return Promise.race([work(), late]).finally(() => clearInterval(steps));
  }

  async #askTwice<T>(ask: (client: RedisClient) => Promise<T>): Promise<T> {
    const isUsed = this.#client !== undefined;
    try {
      return await this.#askOnce(ask);
    } catch (error) {
      if (!isUsed || faultOf(error) !== 'broken') throw error;
      await this.close();
      return this.#askOnce(ask);
    }
  }

  async #askOnce<T>(ask: (client: RedisClient) => Promise<T>): Promise<T> {
    this.#client ??= connect(this.#options, this.#ending.signal);
    const mine = this.#client;
    try {
      return await this.#holding(await mine, ask);
    } catch (error) {
      // After an answer, though a refusal, the connection is as good as before.
      if (!isReply(error) && this.#client === mine) await this.close();
      throw error;
    }
  }

  // Only a question that waits for its answer keeps the process going.
  async #holding<T>(client: RedisClient, ask: (client: RedisClient) => Promise<T>): Promise<T> {
    this.#asking++;
    if ('stream' in client) client.stream?.ref?.();
    try {
      return await ask(client);
    } finally {
      this.#asking--;
      if (this.#asking === 0 && 'stream' in client) client.stream?.unref?.();
    }
  }
}

function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

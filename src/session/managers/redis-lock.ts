import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { StoreError } from '../../errors.ts';
import type { IsMoot } from '../../values/session-manager.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { Keys } from './redis-keys.ts';
import { EXTEND, LOCK, RELEASE } from './redis-scripts.ts';

/** How long to wait for a lock. */
export interface RedisLockWait {
  /** Milliseconds to wait for any one holder at most; 20 seconds unless told, 0 tries once. */
  readonly timeoutMs?: number | undefined;
  /** Asked while another has the lock: true ends the wait. */
  readonly isMoot?: IsMoot | undefined;
}

/** Which lock, and how long to wait for it. */
export interface RedisLockOptions extends RedisLockWait {
  readonly connection: RedisConnection;
  readonly keys: Keys;
}

/** A killed holder's lock passes on after so long; a living one extends it well before. */
const LOCK_MS = 10_000;

/** The lock of one identity, held: shuts out every process that can reach the same Redis. */
export class RedisLock {
  /** Counts who has held this lock: whoever comes later has a higher one. */
  readonly fence: number;
  readonly #options: RedisLockOptions;
  readonly #holder: string;
  readonly #heartbeat: NodeJS.Timeout;

  private constructor(options: RedisLockOptions, holder: string, fence: number) {
    this.#options = options;
    this.#holder = holder;
    this.fence = fence;
    const beat = () => void this.extend().catch(() => undefined);
    this.#heartbeat = setInterval(beat, LOCK_MS / 4).unref();
  }

  /**
   * Waits for the lock; undefined where the wait became moot.
   * @throws {StoreError} naming key and holder where one holder keeps it for too long.
   */
  static async acquire(options: RedisLockOptions): Promise<RedisLock | undefined> {
    const { isMoot = async () => false } = options;
    const holder = `${randomBytes(12).toString('hex')} ${process.pid} ${hostname()}`;
    const patience = new Patience(options);
    for (let longest = 5; ; longest = Math.min(longest * 2, 500)) {
      const [fence = 0, other = ''] = await tryLock(options, holder);
      if (fence > 0) return new RedisLock(options, holder, fence);
      await pause(Math.min(patience.left(other), longest * (0.5 + Math.random() / 2)));
      if (await isMoot()) return undefined;
    }
  }

  /** Holds it for longer; false where it ran out and another has it now. @throws {StoreError} */
  async extend(): Promise<boolean> {
    return (await this.#run(EXTEND, String(LOCK_MS))) === 1;
  }

  /** Gives it back. Where that fails it runs out by itself. */
  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    await this.#run(RELEASE).catch(() => undefined);
  }

  #run(script: string, ...more: string[]): Promise<unknown> {
    const { connection, keys } = this.#options;
    return connection.ask((client) => client.eval(script, keys.length, ...keys, this.#holder, ...more));
  }
}

async function tryLock({ connection, keys }: RedisLockOptions, holder: string): Promise<[number?, string?]> {
  const answer = await connection.ask(
    (client) => client.eval(LOCK, keys.length, ...keys, holder, String(LOCK_MS)),
    keys[1],
  );
  return Array.isArray(answer) ? [Number(answer[0]), String(answer[1] ?? '')] : [];
}

/** The time that is left for one holder: where the lock passes on, things go on, and who waits may. */
class Patience {
  readonly #options: RedisLockOptions;
  #holder = '';
  #since = 0;

  constructor(options: RedisLockOptions) {
    this.#options = options;
  }

  /** Milliseconds. @throws {StoreError} where it is over. */
  left(holder: string): number {
    const { timeoutMs = 20_000 } = this.#options;
    if (holder !== this.#holder) this.#since = performance.now();
    this.#holder = holder;
    const left = this.#since + timeoutMs - performance.now();
    if (left > 0) return left;
    throw heldTooLong(this.#options, timeoutMs, holder);
  }
}

function heldTooLong({ connection, keys }: RedisLockOptions, timeoutMs: number, holder: string): StoreError {
  const [, pid, host] = /^\S+ (\d+) (\S+)$/.exec(holder) ?? [];
  const who = pid === undefined ? 'another program' : `process ${pid} on ${host}`;
  return new StoreError(
    `no lock within ${timeoutMs / 1000} s: ${who} holds ${keys[2]} in Redis at ${connection.address}`,
    { hint: 'wait for it or end it: the lock then passes on within 10 s' },
  );
}

import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Identity, identityKey } from '../values/identity.ts';
import { parseJsonObject } from '../values/json.ts';
import { RATE_WINDOW_MS, type RateLimit } from '../values/rate-limit.ts';
import { quietly } from './file-errors.ts';
import { readOwnFile } from './files.ts';
import { ensureOwnFolder } from './folders.ts';

const { O_CREAT, O_NOFOLLOW, O_WRONLY } = fs.constants;

/** Longer than any figure: each writing covers the one before it whole. */
const RECORD_BYTES = 96;

/**
 * The rate budget last seen for an identity, by whichever process saw it. It is a hint and no more: each answer of
 * Podio's brings the true figure. So it is written without a lock and without waiting for the disk, and what goes
 * wrong with it stops nobody.
 */
export class RateLedger {
  readonly #file: string;
  readonly #now: () => number;

  /** `folder`: an absolute path, made where it is missing. */
  constructor({ folder, identity, now }: { folder: string; identity: Identity; now: () => number }) {
    this.#file = path.join(folder, `${identityKey(identity)}.json`);
    this.#now = now;
  }

  /** The last figure; undefined where none was seen within the hour. @throws {StoreError} */
  last(): RateLimit | undefined {
    const { limit, remaining, seen_at: seenAt } = parseJsonObject(readOwnFile(this.#file) ?? '') ?? {};
    if (typeof limit !== 'number' || typeof remaining !== 'number' || typeof seenAt !== 'number') return;
    const age = this.#now() - seenAt;
    return age >= 0 && age < RATE_WINDOW_MS ? { limit, remaining, seenAt } : undefined;
  }

  /**
   * Keeps a figure if it tells something new: every hundredth part of the budget, and every call of the last tenth.
   * Which calls these are shows in the figure itself, so that all others cost neither a read nor a write.
   */
  note(seen: RateLimit): void {
    const step = Math.ceil(seen.limit / 100);
    if (seen.remaining % step === 0 || seen.remaining * 10 < seen.limit) this.keep(seen);
  }

  /** Keeps a figure. */
  keep({ limit, remaining, seenAt }: RateLimit): void {
    const text = JSON.stringify({ limit, remaining, seen_at: seenAt }).padEnd(RECORD_BYTES - 1);
    quietly(() => {
      ensureOwnFolder(path.dirname(this.#file));
      const fd = fs.openSync(this.#file, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o600);
      try {
        fs.writeSync(fd, `${text}\n`, 0);
      } finally {
        fs.closeSync(fd);
      }
    });
  }
}

import * as path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Identity, identityKey } from '../values/identity.ts';
import { ensureOwnFolder } from './folders.ts';
import { tryLock } from './lock.ts';

/** For whom, and how many of them at the same time. */
export interface SlotsOptions {
  /** An absolute path, made where it is missing. */
  readonly folder: string;
  readonly identity: Identity;
  readonly most: number;
}

const SHORTEST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 50;

/**
 * So many places for all processes of an identity on this machine: a lock each. The place of a process that was killed
 * is free at once.
 */
export class Slots {
  readonly #files: readonly string[];

  /** @throws {StoreError} */
  constructor({ folder, identity, most }: SlotsOptions) {
    ensureOwnFolder(folder);
    const key = identityKey(identity);
    this.#files = Array.from({ length: most }, (_, at) => path.join(folder, `${key}.${at}.lock`));
  }

  /** Resolves with what gives the place back, once there is one. @throws {StoreError} @throws the signal's reason. */
  async take(signal: AbortSignal): Promise<() => void> {
    for (let longest = SHORTEST_PAUSE_MS; ; longest = Math.min(2 * longest, LONGEST_PAUSE_MS)) {
      signal.throwIfAborted();
      const release = this.#free();
      if (release !== undefined) return release;
      await pause(longest * (0.5 + Math.random() / 2), undefined, { signal });
    }
  }

  #free(): (() => void) | undefined {
    for (const file of this.#files) {
      const release = tryLock(file);
      if (release !== undefined) return release;
    }
    return undefined;
  }
}

import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Identity, identityKey } from '../values/identity.ts';
import { limitIn, limitText, type RateLimit } from '../values/rate-limit.ts';
import type { LimitStore } from '../values/session-manager.ts';
import { quietly } from './file-errors.ts';
import { openOwnFile, readOwnFile } from './files.ts';
import { ensureOwnFolder } from './folders.ts';

const { O_CREAT, O_WRONLY } = fs.constants;

/** Longer than any figure: each writing covers the one before it whole. */
const RECORD_BYTES = 96;

/** What was last seen of an identity's rate budget, in a file: written without a lock, and without waiting for the disk. */
export class LimitFile implements LimitStore {
  readonly #file: string;

  /** `folder`: an absolute path, made where it is missing. */
  constructor({ folder, identity }: { folder: string; identity: Identity }) {
    this.#file = path.join(folder, `${identityKey(identity)}.json`);
  }

  async last(): Promise<RateLimit | undefined> {
    return limitIn(readOwnFile(this.#file) ?? '');
  }

  async keep(seen: RateLimit): Promise<void> {
    quietly(() => {
      ensureOwnFolder(path.dirname(this.#file));
      const { fd } = openOwnFile(this.#file, O_WRONLY | O_CREAT);
      try {
        fs.writeSync(fd, `${limitText(seen).padEnd(RECORD_BYTES - 1)}\n`, 0);
      } finally {
        fs.closeSync(fd);
      }
    });
  }
}

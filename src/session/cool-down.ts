import * as path from 'node:path';
import { hashOf } from '../values/hash.ts';
import { parseJsonObject } from '../values/json.ts';
import type { SessionScope } from '../values/session-manager.ts';
import { quietly } from './file-errors.ts';
import { readOwnFile, removeFile } from './files.ts';
import { locked } from './locked.ts';
import { writeFileSafely } from './reservation.ts';

/** Until when the token endpoint wants to be left alone. Shared by all processes that ask it with the same API key. */
export class CoolDown {
  readonly #options: SessionScope & { folder: string };

  /** `folder`: an absolute path, made where it is missing. */
  constructor(options: SessionScope & { folder: string }) {
    this.#options = options;
  }

  /** Epoch milliseconds; 0 where it may be asked. @throws {StoreError} */
  until(): number {
    const until = parseJsonObject(readOwnFile(this.#file) ?? '')?.until;
    return typeof until === 'number' ? until : 0;
  }

  /** Makes everybody wait until then. @throws {StoreError} */
  async start(until: number): Promise<void> {
    await locked(this.#file, () => writeFileSafely(this.#file, JSON.stringify({ until })));
  }

  /** Forgets a time that is over, or that a wrong clock named. Where that fails it means nothing all the same. */
  end(): void {
    quietly(() => removeFile(this.#file));
  }

  get #file(): string {
    const { folder, apiUrl, clientId } = this.#options;
    return path.join(folder, `${hashOf(JSON.stringify([apiUrl, clientId])).slice(0, 24)}.json`);
  }
}

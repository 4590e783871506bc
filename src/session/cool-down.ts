import { createHash } from 'node:crypto';
import * as path from 'node:path';
import { parseJsonObject } from '../values/json.ts';
import type { SessionScope } from '../values/session-manager.ts';
import { quietly } from './file-errors.ts';
import { readOwnFile, removeFile } from './files.ts';
import { locked } from './locked.ts';
import { writeFileSafely } from './reservation.ts';

/** Until when the token endpoint wants to be left alone. Shared by all processes that ask it with the same API key. */
export class CoolDown {
  readonly #file: string;

  /** `folder`: an absolute path, made where it is missing. */
  constructor({ folder, apiUrl, clientId }: SessionScope & { folder: string }) {
    const key = createHash('sha256')
      .update(JSON.stringify([apiUrl, clientId]))
      .digest('hex')
      .slice(0, 24);
    this.#file = path.join(folder, `${key}.json`);
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
}

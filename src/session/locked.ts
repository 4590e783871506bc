import * as path from 'node:path';
import { ensureOwnFolder } from './folders.ts';
import { acquireLock } from './lock.ts';

/** Works on a small file while nobody else does; its folder is made where it is missing. @throws {StoreError} */
export async function locked<T>(file: string, work: () => T): Promise<T> {
  ensureOwnFolder(path.dirname(file));
  const release = await acquireLock(`${file}.lock`);
  try {
    return work();
  } finally {
    release();
  }
}

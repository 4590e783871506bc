import * as path from 'node:path';
import { ensureOwnFolder } from './folders.ts';

/** Works on a small file while nobody else does; its folder is made where it is missing. @throws {StoreError} */
export async function locked<T>(file: string, work: () => T): Promise<T> {
  ensureOwnFolder(path.dirname(file));
  // Loaded only where something is written: a call with a valid token takes no lock.
  const { acquireLock } = await import('./lock.ts');
  const release = await acquireLock(`${file}.lock`);
  try {
    return work();
  } finally {
    release();
  }
}

import { join } from 'node:path';
import { StoreError } from '../errors.ts';
import { readOwnFile, removeFile } from './files.ts';
import { adoptPendingFile, pendingFile, writeFileSafely } from './reservation.ts';

/** Where a session waits that was renewed and that its store then did not take: a file, mode 0600. */
export class RecoveryFile {
  readonly path: string;

  /** `folder`: an absolute path, made where it is missing. */
  constructor({ folder, name }: { readonly folder: string; readonly name: string }) {
    this.path = join(folder, `${name}.recovery.json`);
  }

  /** The record that waits; undefined where none does. @throws {StoreError} */
  read(): string | undefined {
    return readOwnFile(this.path);
  }

  /** Keeps the record, and answers the error that names the file beside the trouble. @throws {StoreError} where it cannot. */
  rescue(record: string, trouble: unknown): StoreError {
    this.keep(record);
    const why = trouble instanceof StoreError ? trouble.message : 'the store failed';
    const message = `${why}; the renewed session is kept in ${this.path} until it works again`;
    return new StoreError(message, {
      hint: trouble instanceof StoreError ? trouble.hint : undefined,
      cause: trouble,
    });
  }

  /** @throws {StoreError} */
  keep(record: string): void {
    writeFileSafely(this.path, record);
  }

  /**
   * Puts in place what a killed process had written and not yet named, under the store's lock: nothing is newer then,
   * and it is of use only if it is whole. @throws {StoreError}
   */
  adopt(isWhole: (record: string) => boolean): void {
    const pending = pendingFile(this.path);
    const record = readOwnFile(pending);
    if (record === undefined) return;
    if (isWhole(record)) adoptPendingFile(this.path);
    else removeFile(pending);
  }

  /** Removes the record, one half written with it. @throws {StoreError} */
  remove(): void {
    for (const name of [this.path, pendingFile(this.path)]) removeFile(name);
  }
}

import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { ensureOwnFolder } from '../folders.ts';

/** Where the locks lie. */
export interface KeychainLocksOptions {
  /** An absolute path, `userLockFolder()` unless told. */
  readonly folder?: string | undefined;
}

/** The locks of a user's keychain. Their reach is the keychain's own: all processes of the user, whatever their variables. */
export class KeychainLocks {
  readonly #folder: string;
  #lastWrite: Promise<unknown> = Promise.resolve();

  constructor({ folder = userLockFolder() }: KeychainLocksOptions) {
    this.#folder = folder;
  }

  /** Waits as `acquireLock` does. @throws {StoreError} */
  async acquire(name: string, timeoutMs?: number): Promise<() => void> {
    ensureOwnFolder(this.#folder);
    // Whoever only reads needs no lock, and what makes them takes as long to load as a keychain to answer.
    const { acquireLock } = await import('../lock.ts');
    return acquireLock(join(this.#folder, `${name}.lock`), { timeoutMs });
  }

  /**
   * Does what writes to the keychain while nobody else does: macOS fails one of two writers
   * (github.com/Azure/kubelogin/issues/740). This process's writers wait in line, in which nobody is overtaken.
   */
  write(work: () => Promise<void>): Promise<void> {
    const mine = this.#lastWrite.then(() => this.#writeAlone(work));
    this.#lastWrite = mine.catch(() => undefined);
    return mine;
  }

  async #writeAlone(work: () => Promise<void>): Promise<void> {
    const release = await this.acquire('keychain');
    await work().finally(release);
  }
}

/** A folder of this user's that no variable moves: by the system's list of users. */
export function userLockFolder(): string {
  return join(homeOfUser(), ...(DATA_FOLDERS[process.platform] ?? ['.local', 'share']), 'podio', 'locks');
}

const DATA_FOLDERS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['Library', 'Application Support'],
  win32: ['AppData', 'Local'],
};

function homeOfUser(): string {
  try {
    return userInfo().homedir;
  } catch {
    // Who is not in that list (in a container, say) has only HOME.
    return homedir();
  }
}

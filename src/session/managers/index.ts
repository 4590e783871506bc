import { Failure, UsageError } from '../../errors.ts';
import type { SessionManager, SessionScope } from '../../values/session-manager.ts';
import { FileSessionManager } from './file.ts';
import { MemorySessionManager } from './memory.ts';

/** What a manager chosen by its name is made with. */
export interface ManagerOptions extends SessionScope {
  /** Where files of a manager may lie: an absolute path. */
  readonly folder: string;
}

type Open = (options: ManagerOptions) => Promise<SessionManager>;

const MANAGERS: Readonly<Record<string, Open>> = {
  file: async (options) => new FileSessionManager(options),
  // Loaded only where it is used: whoever keeps sessions in files has nothing to do with keychains.
  keychain: async (options) => new (await import('./keychain.ts')).KeychainSessionManager(options),
  memory: async () => new MemorySessionManager(),
};

/** The names by which `openSessionManager` knows managers. */
export const MANAGER_NAMES: readonly string[] = Object.keys(MANAGERS);

/** The manager of that name. @throws {UsageError} where there is none. */
export async function openSessionManager(name: string, options: ManagerOptions): Promise<SessionManager> {
  return managerNamed(name)(options);
}

/** What makes the manager of that name. @throws {UsageError} where there is none. */
export function managerNamed(name: string): Open {
  const open = Object.hasOwn(MANAGERS, name) ? MANAGERS[name] : undefined;
  if (open !== undefined) return open;
  throw new UsageError(`there is no session manager "${name}"`, {
    hint: `choose one with --session-manager: auto, ${MANAGER_NAMES.join(', ')}`,
  });
}

/** The outcome of `auto`: the keychain where it works, else the file and why not the keychain. */
export interface Choice {
  readonly name: 'keychain' | 'file';
  readonly because?: string;
}

/** Finds out which manager `auto` stands for here and now. Nothing is left in the keychain by it. */
export async function chooseSessionManager(options: ManagerOptions): Promise<Choice> {
  try {
    const keychain = await openSessionManager('keychain', options);
    const release = await keychain.reserve?.({ type: 'app', identifier: 'probe' });
    await release?.();
    return { name: 'keychain' };
  } catch (error) {
    if (error instanceof Failure) return { name: 'file', because: error.message };
    throw error;
  }
}

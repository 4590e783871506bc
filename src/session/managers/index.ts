import { Failure, UsageError } from '../../errors.ts';
import type { SessionManager, SessionScope } from '../../values/session-manager.ts';
import { FileSessionManager } from './file.ts';
import { MemorySessionManager } from './memory.ts';

/** What a manager chosen by its name is made with. */
export interface ManagerOptions extends SessionScope {
  /** Where files of a manager may lie: an absolute path. */
  readonly folder: string;
}

/** Makes a manager. `name` is the whole word or URL that chose it; a URL may hold a password, and is never shown. */
type Open = (options: ManagerOptions, name: string) => Promise<SessionManager>;

/**
 * Every manager that has a name, or a URL: then its key is the scheme, with the colon (`redis:`).
 * Only `file` and `memory` are at hand; what else there is, is loaded where it is used.
 */
const MANAGERS: Readonly<Record<string, Open>> = {
  file: async (options) => new FileSessionManager(options),
  keychain: async (options) => new (await import('./keychain.ts')).KeychainSessionManager(options),
  memory: async () => new MemorySessionManager(),
  'redis:': openRedis,
  'rediss:': openRedis,
  'redis+sentinel:': openRedis,
  'rediss+sentinel:': openRedis,
  'redis+cluster:': openRedis,
  'rediss+cluster:': openRedis,
};

async function openRedis(options: ManagerOptions, url: string): Promise<SessionManager> {
  return new (await import('./redis.ts')).RedisSessionManager({ ...options, url });
}

/** The names by which `openSessionManager` knows managers. */
export const MANAGER_NAMES: readonly string[] = Object.keys(MANAGERS).filter((key) => !key.endsWith(':'));

/** The manager of that name or URL. @throws {UsageError} where there is none. */
export async function openSessionManager(name: string, options: ManagerOptions): Promise<SessionManager> {
  const open = MANAGERS[keyOf(name)];
  if (!isManagerName(name) || open === undefined) throw noSuchManager(name);
  return open(options, name);
}

/** Whether there is a manager of that name, or for URLs of that scheme. */
export function isManagerName(name: string): boolean {
  return Object.hasOwn(MANAGERS, keyOf(name));
}

/** Says that there is no manager of that name, and which one may be meant. */
export function noSuchManager(name: string): UsageError {
  const key = keyOf(name);
  const what = key === name ? `"${name}"` : `for ${key} URLs`;
  const near = MANAGER_NAMES.find((known) => isNear(known, name.toLowerCase()));
  const all = `choose one with --session-manager: auto, ${Object.keys(MANAGERS).join(', ')}`;
  return new UsageError(`there is no session manager ${what}`, {
    hint: near === undefined ? all : `did you mean ${near}? Else ${all}`,
  });
}

// `redis://host` and `redis:host` alike: a URL's scheme has two letters at least, a drive of Windows' one.
function keyOf(name: string): string {
  return /^[a-z][a-z0-9+.-]+:/i.exec(name)?.[0].toLowerCase() ?? name;
}

// As far as letters go, whatever their order: most slips leave out, double or swap one.
function isNear(a: string, b: string): boolean {
  const without = (text: string, letters: string) =>
    [...letters].reduce((left, letter) => left.replace(letter, ''), text);
  return (without(a, b) + without(b, a)).length <= 2;
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

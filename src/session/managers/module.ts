import { readFileSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Failure, StoreError, UsageError } from '../../errors.ts';
import { hashOf } from '../../values/hash.ts';
import { identityKey } from '../../values/identity.ts';
import { parseJsonObject } from '../../values/json.ts';
import { isPath, withoutCredentials } from '../../values/manager-name.ts';
import type { AuthType, Release, SessionManager } from '../../values/session-manager.ts';
import { ensureOwnFolder } from '../folders.ts';
import { importModule } from '../import-module.ts';
import { acquireLock } from '../lock.ts';
import { CheckedManager } from './checked.ts';
import { checkManager, constructed } from './given.ts';
import { type ManagerOptions, noSuchManager } from './index.ts';
import { within } from './within.ts';
import { withoutTokens } from './without-tokens.ts';

/** Where a module is: what it is called in messages, and what an import of it says. */
interface Place {
  readonly name: string;
  readonly specifier: string;
}

/**
 * The manager that somebody wrote as a module: a path, a `file:` URL, or the name of a package. Its default export is
 * a class or an instance. Where it has no lock, one of this user's on this machine serves.
 * @throws {UsageError} where there is no such module, or its default export is no session manager.
 * @throws {StoreError} where it cannot be loaded or made.
 */
export async function openModule(name: string, options: ManagerOptions): Promise<SessionManager> {
  const place = placeOf(name);
  const what = `the session manager ${place.name}`;
  const exported = defaultExport(await load(place));
  if (exported === undefined) {
    throw new UsageError(`${what} has no default export`, {
      hint: 'export a class with get and set: export default class { … }, or module.exports = class { … }',
    });
  }
  const manager = typeof exported === 'function' ? constructed(exported, options) : exported;
  checkManager(manager, what);
  return new CheckedManager({ manager, name: what, lock: (authType) => lockHere(authType, options, place) });
}

/** Makes sure that a module of that name is there, without running any of it. @throws {UsageError} */
export function checkModule(name: string): void {
  placeOf(name);
}

function placeOf(name: string): Place {
  if (isPath(name)) return fileAt(name.startsWith('file:') ? pathOf(name) : name);
  const [, folder] = /^((?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*)(?:\/[\w.~/-]+)?$/i.exec(name) ?? [];
  if (
    folder !== undefined &&
    installedIn().some((place) => isThere(path.join(place, folder, 'package.json')))
  ) {
    return { name, specifier: name };
  }
  throw withHint(noSuchManager(name), name);
}

function fileAt(name: string): Place {
  const file = path.resolve(name);
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat?.isFile() !== true) {
    throw new UsageError(`there is no session manager at ${file}`, { hint: 'name the file of a module' });
  }
  if (process.platform !== 'win32' && (stat.mode & 0o002) !== 0) {
    throw new StoreError(`the session manager ${file} can be written by everybody`, {
      hint: `close it: chmod o-w ${file}`,
    });
  }
  return { name: file, specifier: pathToFileURL(file).href };
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw new UsageError('the session manager is no file: URL of this machine', {
      hint: 'as in file:///home/ada/my-manager.js',
    });
  }
}

/**
 * The folders in which a package is looked for: beside podio and below it. Node would look further up too, and
 * nowhere is a package taken from where somebody happens to stand.
 */
function installedIn(): string[] {
  const root = podioRoot(path.dirname(fileURLToPath(import.meta.url)));
  const beside = path.dirname(root);
  return [path.join(root, 'node_modules'), ...(path.basename(beside) === 'node_modules' ? [beside] : [])];
}

function podioRoot(folder: string): string {
  const isRoot = parseJsonObject(readIfThere(path.join(folder, 'package.json')))?.name === 'podio-cli';
  return isRoot || path.dirname(folder) === folder ? folder : podioRoot(path.dirname(folder));
}

function readIfThere(file: string): string {
  return isThere(file) ? readFileSync(file, 'utf8') : '';
}

function isThere(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

function withHint(error: UsageError, name: string): UsageError {
  const hint = `${error.hint}; a file by its path (./${withoutCredentials(name)}), a package once it is installed where podio is`;
  return new UsageError(error.message, { hint });
}

async function load({ name, specifier }: Place): Promise<Record<string, unknown>> {
  const late = () => new StoreError(`the session manager ${name} did not finish loading within 20 s`);
  try {
    return await within(20_000, late, () => importModule(specifier));
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new StoreError(`the session manager ${name} could not be loaded: ${withoutTokens(error)}`, {
      hint: `see for yourself: node ${specifier}`,
    });
  }
}

// What a compiler made CommonJS of has its default export one level further in.
function defaultExport(module: Record<string, unknown>): unknown {
  const exported: unknown = module.default;
  const inner: Record<string, unknown> = { ...Object(exported) };
  return inner.__esModule === true ? inner.default : exported;
}

// A lock of its own for each module: a session that moves from one to the other is locked in both.
async function lockHere(
  authType: AuthType,
  { apiUrl, clientId, folder }: ManagerOptions,
  { specifier }: Place,
): Promise<Release> {
  ensureOwnFolder(folder);
  const module = hashOf(specifier).slice(0, 16);
  return acquireLock(path.join(folder, `${identityKey({ apiUrl, clientId, ...authType })}.${module}.lock`));
}

import { homedir } from 'node:os';
import * as path from 'node:path';
import { StoreError } from '../errors.ts';

/** Environment variables, as a process gets them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The two kinds of place: settings without secrets, and data with the sessions in it. */
type Kind = 'config' | 'data';

/** Where settings are: PODIO_CONFIG_DIR, else the system's place for them. @throws {StoreError} where no place can be named. */
export function configFolder(env: Environment): string {
  return folder(env, 'config');
}

/** Where sessions and what belongs to them are: PODIO_DATA_DIR, else the system's place. @throws {StoreError} */
export function dataFolder(env: Environment): string {
  return folder(env, 'data');
}

function folder(env: Environment, kind: Kind): string {
  const own = `PODIO_${kind.toUpperCase()}_DIR`;
  if (env[own]) return absolute(own, env[own]);
  if (process.platform === 'win32') return onWindows(env, kind);
  if (process.platform === 'darwin') return path.join(home(env, own), 'Library', ON_MACOS[kind], 'podio');
  const xdg = `XDG_${kind.toUpperCase()}_HOME`;
  if (env[xdg]) return path.join(absolute(xdg, env[xdg]), 'podio');
  return path.join(home(env, own), kind === 'config' ? '.config' : '.local/share', 'podio');
}

// As env-paths has it, which cannot be loaded in a constructor.
const ON_MACOS = { config: 'Preferences', data: 'Application Support' } as const;

function onWindows(env: Environment, kind: Kind): string {
  const [variable, usual, last] =
    kind === 'config'
      ? (['APPDATA', 'AppData/Roaming', 'Config'] as const)
      : (['LOCALAPPDATA', 'AppData/Local', 'Data'] as const);
  return path.join(env[variable] || path.join(homedir(), usual), 'podio', last);
}

function home({ HOME }: Environment, own: string): string {
  if (HOME && HOME !== '/') return absolute('HOME', HOME);
  throw new StoreError(HOME ? 'HOME is "/", which is nobody\'s own folder' : 'HOME is not set', {
    hint: `set HOME, or name a folder of your own with ${own}`,
  });
}

// XDG Base Directory Specification: relative paths are invalid; here one would lose the session at the next cd.
function absolute(name: string, value: string): string {
  if (path.isAbsolute(value)) return path.normalize(value);
  throw new StoreError(`${name} is not an absolute path`, {
    hint: `set ${name} to a path that begins with "/"`,
  });
}

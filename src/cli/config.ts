import { readFileSync, type Stats, statSync } from 'node:fs';
import * as path from 'node:path';
import { StoreError, UsageError } from '../errors.ts';
import { parseJsonObject } from '../values/json.ts';
import { fullName } from '../values/manager-name.ts';
import { apiOrigin, PODIO_API } from '../values/origin.ts';
import { configFolder, type Environment } from '../values/places.ts';
import type { ColorChoice } from './io.ts';

/** The options that every command takes, as given on the command line. */
export interface GlobalOptions {
  readonly as?: string;
  readonly sessionManager?: string;
  readonly apiUrl?: string;
  readonly json?: boolean;
  readonly input?: boolean;
  readonly color?: string;
  readonly verbose?: boolean;
}

/** What holds for this invocation: option, environment, user configuration, default, in this order. */
export interface Settings {
  readonly as: string | undefined;
  /** Named by option or environment: stands above what is remembered for an identity. */
  readonly sessionManager: string | undefined;
  /** Named by the user's configuration: serves where nothing is remembered. */
  readonly usualManager: string;
  readonly apiUrl: string;
  /** Whether somebody asked for this API, or it is just the default. */
  readonly apiUrlIsNamed: boolean;
  readonly json: boolean;
  readonly mayAsk: boolean;
  readonly color: ColorChoice;
  readonly debug: boolean;
}

const LONGEST_CONFIG = 64 * 1024;
/** What `--color` takes. */
export const COLORS = ['auto', 'always', 'never'] as const;

/** Puts the settings together. `warn` hears of a settings file that cannot be used; it is left as it is. */
export async function readSettings(
  options: GlobalOptions,
  env: Environment,
  warn: (text: string) => void,
): Promise<Settings> {
  const config = await readConfig(env, warn);
  const apiUrl = options.apiUrl ?? (env.PODIO_API_URL || config('api_url', API_URL));
  return {
    as: options.as ?? (env.PODIO_AS || config('as')),
    sessionManager: managerOf(options.sessionManager ?? env.PODIO_SESSION_MANAGER),
    usualManager: config('session_manager') ?? 'auto',
    apiUrl: apiUrl === undefined ? PODIO_API : apiOrigin(apiUrl),
    apiUrlIsNamed: apiUrl !== undefined,
    json: options.json ?? false,
    mayAsk: (options.input ?? true) && !isOn(env.PODIO_NO_INPUT) && config('no_input') !== 'true',
    color: colorOf(options.color ?? config('color', COLOR) ?? 'auto'),
    debug: (options.verbose ?? false) || isOn(env.PODIO_DEBUG),
  };
}

// A path is one from here; it is remembered, and must mean the same file from elsewhere.
function managerOf(name: string | undefined): string | undefined {
  return name ? fullName(name) : undefined;
}

/** Whether a variable that is a switch is on. */
export function isOn(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false'].includes(value);
}

function isColor(text: string): text is Settings['color'] {
  return COLORS.some((known) => known === text);
}

function colorOf(text: string): Settings['color'] {
  if (isColor(text)) return text;
  throw new UsageError(`--color takes auto, always or never, not "${text}"`);
}

function isApiUrl(text: string): boolean {
  try {
    return apiOrigin(text) !== '';
  } catch {
    return false;
  }
}

/** What a setting can be, in code and in words. */
export interface Rule {
  readonly fits: (text: string) => boolean;
  readonly must: string;
}

const ANYTHING: Rule = { fits: () => true, must: '' };
export const API_URL: Rule = {
  fits: isApiUrl,
  must: 'be an https address without a path, or http on loopback',
};
export const COLOR: Rule = { fits: isColor, must: 'be auto, always or never' };

/** A setting as text; undefined where it is not set. @throws {UsageError} where it breaks the rule. */
type Config = (key: string, rule?: Rule) => string | undefined;

async function readConfig(env: Environment, warn: (text: string) => void): Promise<Config> {
  const file = await configFile(env);
  if (file !== undefined) checkPlace(file);
  const values = readConfigFile(file, warn);
  return (key, { fits, must } = ANYTHING) => {
    const value = Object.hasOwn(values, key) ? values[key] : undefined;
    if (typeof value !== 'string' && typeof value !== 'boolean') return undefined;
    if (fits(String(value))) return String(value);
    throw new UsageError(`${key} in ${file} must ${must}`, { hint: 'mend it, or remove it there' });
  };
}

/**
 * The settings in the file. They are a convenience: without them every command still has to work, login and logout
 * above all. What cannot be used is left as it is, and `warn` hears of it.
 */
export function readConfigFile(
  file: string | undefined,
  warn: (text: string) => void,
): Record<string, unknown> {
  const text = file === undefined ? undefined : readText(file);
  if (text === undefined) return {};
  const values = parseJsonObject(text);
  if (values === undefined) warn(`the settings in ${file} are not a JSON object and are ignored`);
  return values ?? {};
}

/** Where the settings lie; undefined where no place can be named: that sessions have none either is said elsewhere. */
export async function configFile(env: Environment): Promise<string | undefined> {
  try {
    return path.join(configFolder(env), 'config.json');
  } catch (error) {
    const isNamed = Boolean(env.PODIO_CONFIG_DIR || env.XDG_CONFIG_HOME);
    if (error instanceof StoreError && !isNamed) return undefined;
    throw error;
  }
}

/** Whoever could write there could have a login sent to an API of his own. @throws {StoreError} where others can. */
export function checkPlace(file: string): void {
  checkWriter(file);
  for (let place = file, last = ''; place !== last; last = place, place = path.dirname(place)) {
    const mode = statOf(place)?.mode ?? 0;
    const isOpen = process.platform !== 'win32' && (mode & 0o002) !== 0 && (mode & 0o1000) === 0;
    if (!isOpen) continue;
    const hint = `close it (chmod o-w ${place}), or name another folder with PODIO_CONFIG_DIR`;
    throw new StoreError(`the settings are not read: ${place} can be written by everybody`, { hint });
  }
}

// Under sudo with the caller's HOME, the caller's settings would choose what root runs.
function checkWriter(file: string): void {
  const me = process.geteuid?.();
  const uid = statOf(file)?.uid;
  if (me === undefined || uid === undefined || uid === me || uid === 0) return;
  throw new StoreError(`the settings are not read: ${file} belongs to another user (uid ${uid})`, {
    hint: 'name a folder of your own with PODIO_CONFIG_DIR; with sudo, use sudo -H or the user itself',
  });
}

function statOf(place: string): Stats | undefined {
  try {
    return statSync(place);
  } catch {
    return undefined;
  }
}

// In a folder that one may not even look into there are no settings of one's own.
const MISSING: readonly unknown[] = ['ENOENT', 'ENOTDIR', 'EACCES'];

// The user's own file: it may be a link into a folder of dotfiles. What cannot be read whole reads as damaged.
function readText(file: string): string | undefined {
  try {
    const stat = statSync(file);
    return stat.isFile() && stat.size <= LONGEST_CONFIG ? readWhole(file) : '';
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && MISSING.includes(error.code);
    return isMissing ? undefined : '';
  }
}

function readWhole(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

import { parseAuthType } from '../values/identity.ts';
import { isPath, isRelative } from '../values/manager-name.ts';
import type { Environment } from '../values/places.ts';
import { API_URL, COLOR, type GlobalOptions, isOn, type Rule } from './config.ts';

/** What can be set for good in the settings file. */
export interface Setting extends Rule {
  readonly key: string;
  readonly meaning: string;
  /** The option that stands above it, and what it says on this command line. */
  readonly option: string;
  readonly given: (options: GlobalOptions) => string | undefined;
  /** The variable that stands above it, and what it says. */
  readonly variable?: string;
  readonly heard: (env: Environment) => string | undefined;
  /** What holds where nobody says anything; undefined for nothing. */
  readonly usual?: string;
}

/** One who may have a say about a setting, the first in the order of precedence. */
export interface Source {
  readonly source: 'option' | 'environment' | 'settings' | 'default';
  /** The option, the variable or the file. */
  readonly name: string | undefined;
  readonly value: string | undefined;
}

const IDENTITY: Rule = {
  fits: (text) => /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u.test(text) || parseAuthType(text) !== undefined,
  must: 'be the name of an identity, or app:ID, password:EMAIL, authorization_code:ID',
};

// A module's path or package name has more than letters; a lone word that is no manager is a slip.
const MANAGER: Rule = {
  fits: (text) =>
    isPath(text)
      ? !isRelative(text) && !/\p{Cc}/u.test(text)
      : /^(auto|keychain|file|memory)$|^[^\s\p{Cc}]*[^a-z\s\p{Cc}][^\s\p{Cc}]*$/u.test(text),
  must: "be auto, keychain, file or memory, a redis:// URL, or a module's whole path or package name",
};

const SWITCH: Rule = { fits: (text) => text === 'true' || text === 'false', must: 'be true or false' };

/** Every setting there is. */
export const SETTINGS: readonly Setting[] = [
  {
    key: 'as',
    meaning: 'whose session to use where none is named',
    ...IDENTITY,
    option: '--as',
    given: ({ as }) => as,
    variable: 'PODIO_AS',
    heard: ({ PODIO_AS }) => PODIO_AS || undefined,
  },
  {
    key: 'api_url',
    meaning: 'which API',
    ...API_URL,
    option: '--api-url',
    given: ({ apiUrl }) => apiUrl,
    variable: 'PODIO_API_URL',
    heard: ({ PODIO_API_URL }) => PODIO_API_URL || undefined,
    usual: 'https://api.podio.com',
  },
  {
    key: 'session_manager',
    meaning: 'where the sessions of new identities are kept',
    ...MANAGER,
    option: '--session-manager',
    given: ({ sessionManager }) => sessionManager,
    variable: 'PODIO_SESSION_MANAGER',
    heard: ({ PODIO_SESSION_MANAGER }) => PODIO_SESSION_MANAGER || undefined,
    usual: 'auto',
  },
  {
    key: 'color',
    meaning: 'when to use colour: auto, always or never',
    ...COLOR,
    option: '--color',
    given: ({ color }) => color,
    heard: () => undefined,
    usual: 'auto',
  },
  {
    key: 'no_input',
    meaning: 'ask nothing: true or false',
    ...SWITCH,
    option: '--no-input',
    given: ({ input }) => (input === false ? 'true' : undefined),
    variable: 'PODIO_NO_INPUT',
    heard: ({ PODIO_NO_INPUT }) => (isOn(PODIO_NO_INPUT) ? 'true' : undefined),
    usual: 'false',
  },
];

/** What each source says about a setting, in the order of precedence: the first that says something holds. */
export function sourcesOf(
  setting: Setting,
  { options, env, file, values }: Said,
): readonly [Source, ...Source[]] {
  const { key, option, variable, usual } = setting;
  const stored = Object.hasOwn(values, key) ? values[key] : undefined;
  return [
    { source: 'option', name: option, value: setting.given(options) },
    { source: 'environment', name: variable, value: setting.heard(env) },
    { source: 'settings', name: file, value: stored === undefined ? undefined : textOf(stored) },
    { source: 'default', name: undefined, value: usual },
  ];
}

/** All that can say something about settings. */
export interface Said {
  readonly options: GlobalOptions;
  readonly env: Environment;
  readonly file: string | undefined;
  readonly values: Readonly<Record<string, unknown>>;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Whether a text holds a password in a URL. */
export function hasPassword(text: string): boolean {
  return PASSWORD_IN_URL.test(text);
}

/** The text without the password of a URL in it. */
export function withoutPassword(text: string): string {
  return text.replace(PASSWORD_IN_URL, '$1…@');
}

const PASSWORD_IN_URL = /(:\/\/[^/?#]*?:)[^/?#]+@/;

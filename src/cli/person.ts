import { UsageError } from '../errors.ts';
import { label } from '../session/register.ts';
import { formatAuthType } from '../values/identity.ts';
import type { Context } from './context.ts';
import { type Asking, answerTo, secretFrom, type Told, unquoted } from './credentials.ts';
import { visible } from './output.ts';
import type { Answer } from './prompt.ts';

/** The options of login that name a person and a secret. */
export interface PersonOptions {
  readonly app?: string | true;
  readonly username?: string;
  readonly tokenStdin?: boolean;
  readonly tokenFile?: string;
  readonly passwordStdin?: boolean;
  readonly passwordFile?: string;
}

/** Who is to be logged in, and the secret that proves it. */
export interface Person {
  readonly type: 'app' | 'password';
  readonly identifier: string;
  readonly secret: string;
}

/** A person, and what of it was typed just now. */
export interface ToldPerson extends Person {
  readonly isIdentifierTyped: boolean;
  readonly isSecretTyped: boolean;
}

/** Asks for what the options and the environment leave open. @throws {UsageError} where there is nobody to ask. */
export async function personFor(
  context: Context,
  { type, options, given }: { type: Person['type']; options: PersonOptions; given: string | undefined },
): Promise<ToldPerson> {
  const { env } = context.io;
  const { usual, usualSecret, named } = type === 'app' ? fromApp(env, options) : fromUser(env, options);
  const identifier = await answerTo(whoOf(context, type), [named, usual], askingIn(context));
  // The variable's secret is of the variable's app or user.
  const ours = !usual || usual === identifier.text ? usualSecret : undefined;
  const secret = await answerTo(secretOf(type), [given, ours], askingIn(context));
  return told(type, identifier, secret);
}

/** Asks again for what was typed and Podio did not take. @throws {InterruptedError} on ^C. */
export async function personAgain(context: Context, before: ToldPerson): Promise<ToldPerson> {
  const { type, identifier, isIdentifierTyped } = before;
  const question = { ...WHO[type], where: undefined, before: identifier };
  const known = isIdentifierTyped ? [] : [identifier];
  const who = await answerTo(question, known, askingIn(context));
  const { what, ways, isSecret, read } = secretOf(type);
  const secret = await answerTo({ what, ways, isSecret, read }, [], askingIn(context));
  return { ...told(type, who, secret), isIdentifierTyped };
}

function told(type: Person['type'], identifier: Told, secret: Told): ToldPerson {
  return {
    type,
    identifier: identifier.text,
    secret: secret.text,
    isIdentifierTyped: identifier.isTyped,
    isSecretTyped: secret.isTyped,
  };
}

/** The secret that the options name, from standard input or a file; undefined where they name none. @throws {UsageError} */
export function givenSecret(
  { io }: Context,
  type: Person['type'],
  options: PersonOptions,
): Promise<string | undefined> {
  const { tokenStdin, tokenFile, passwordStdin, passwordFile } = options;
  return type === 'app'
    ? secretFrom(io, { stdin: tokenStdin, file: tokenFile, option: '--token' })
    : secretFrom(io, { stdin: passwordStdin, file: passwordFile, option: '--password' });
}

type Environment = Context['io']['env'];

function fromApp({ PODIO_APP_ID, PODIO_APP_TOKEN }: Environment, { app }: PersonOptions) {
  return { named: app === true ? undefined : app, usual: PODIO_APP_ID, usualSecret: PODIO_APP_TOKEN };
}

function fromUser({ PODIO_USERNAME, PODIO_PASSWORD }: Environment, { username }: PersonOptions) {
  return { named: username, usual: PODIO_USERNAME, usualSecret: PODIO_PASSWORD };
}

const WHERE_APP =
  'The id and the token of an app stand in Podio: open the app, then its settings (the wrench), then "Developer".';

const WHO = {
  app: {
    what: 'the app id',
    ways: 'podio login --app APP_ID, or PODIO_APP_ID',
    where: WHERE_APP,
    read: readAppId,
  },
  password: {
    what: 'the e-mail address',
    ways: '--username EMAIL, or PODIO_USERNAME',
    read: unquoted,
  },
} as const;

function whoOf(context: Context, type: Person['type']) {
  return type === 'app' ? { ...WHO.app, what: 'the app id', choices: knownApps(context) } : WHO.password;
}

function secretOf(type: Person['type']) {
  if (type === 'app') {
    const ways = '--token-stdin, --token-file FILE, or PODIO_APP_TOKEN with PODIO_APP_ID';
    return { what: 'the app token', ways, isSecret: true, read: unquoted };
  }
  const ways = '--password-stdin, --password-file FILE, or PODIO_PASSWORD with PODIO_USERNAME';
  // A password may begin and end with whatever it likes.
  return { what: 'the password', ways, isSecret: true, read: (text: string) => text };
}

function knownApps({ register, settings }: Context): Answer<string>[] {
  return register
    .list()
    .filter(({ type, apiUrl }) => type === 'app' && apiUrl === settings.apiUrl)
    .map((known) => ({
      value: known.identifier,
      label: visible(inBoth(label(known), formatAuthType(known))),
    }));
}

function inBoth(name: string, identity: string): string {
  return name === identity ? identity : `${identity} (${name})`;
}

/** The app id in what people write: `123456`, `app:123456`, or the address of the app at the API. @throws {UsageError} */
export function readAppId(text: string): string {
  const bare = unquoted(text).replace(/^(?:app:|#)/, '');
  const id = /^(?:https?:\/\/\S+\/app\/)?(\d{1,15})\/?$/.exec(bare)?.[1];
  if (id !== undefined) return id;
  const isAddress = /^https?:\/\//.test(bare);
  throw new UsageError(
    isAddress ? 'the app id does not stand in this address' : 'the app id is a number, as in 123456',
    {
      hint: `see the app's settings in Podio, "Developer", then: podio login --app APP_ID`,
    },
  );
}

function askingIn({ io, settings }: Context): Asking {
  return { io, mayAsk: settings.mayAsk };
}

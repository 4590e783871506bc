import { UsageError } from '../errors.ts';
import type { Context } from './context.ts';
import { answerTo, secretFrom } from './credentials.ts';

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

/** Asks for what the options and the environment leave open. @throws {UsageError} where there is nobody to ask. */
export function personFor(
  context: Context,
  { type, options, given }: { type: Person['type']; options: PersonOptions; given: string | undefined },
): Promise<Person> {
  return type === 'app' ? app(context, options, given) : user(context, options, given);
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

async function app({ io, settings }: Context, options: PersonOptions, given?: string): Promise<Person> {
  const asking = { io, mayAsk: settings.mayAsk };
  const { PODIO_APP_ID: usual, PODIO_APP_TOKEN: token } = io.env;
  const named = options.app === true ? undefined : options.app;
  const identifier = await answerTo(
    { what: 'the app id', ways: 'podio login --app APP_ID, or PODIO_APP_ID' },
    [named, usual],
    asking,
  );
  if (!/^\d{1,15}$/.test(identifier))
    throw new UsageError('the app id is not a number', {
      hint: 'see the app\'s settings, "Developer"',
    });
  // The variable's token is of the variable's app.
  const ours = usual === undefined || usual === '' || usual === identifier ? token : undefined;
  const ways = '--token-stdin, --token-file FILE, or PODIO_APP_TOKEN with PODIO_APP_ID';
  const secret = await answerTo({ what: 'the app token', ways, isSecret: true }, [given, ours], asking);
  return { type: 'app', identifier, secret };
}

async function user({ io, settings }: Context, options: PersonOptions, given?: string): Promise<Person> {
  const asking = { io, mayAsk: settings.mayAsk };
  const { PODIO_USERNAME: usual, PODIO_PASSWORD: password } = io.env;
  const identifier = await answerTo(
    { what: 'the e-mail address', ways: '--username EMAIL, or PODIO_USERNAME' },
    [options.username, usual],
    asking,
  );
  const ours = usual === undefined || usual === '' || usual === identifier ? password : undefined;
  const ways = '--password-stdin, --password-file FILE, or PODIO_PASSWORD with PODIO_USERNAME';
  const secret = await answerTo({ what: 'the password', ways, isSecret: true }, [given, ours], asking);
  return { type: 'password', identifier, secret };
}

import type { Command } from 'commander';
import { isRefusal, refusedLogin } from '../../client/failures.ts';
import type { PodioClient } from '../../client/podio-client.ts';
import { Failure, type PodioError, UsageError } from '../../errors.ts';
import type { KnownIdentity } from '../../session/register.ts';
import {
  authType,
  formatAuthType,
  type Identity,
  isSameIdentity,
  isShortName,
} from '../../values/identity.ts';
import { expiresAt, type PodioOAuth } from '../../values/podio-oauth.ts';
import { quoted } from '../../values/quoted.ts';
import { apiKeyFor } from '../api-key.ts';
import type { Context } from '../context.ts';
import { unquoted } from '../credentials.ts';
import { type Answers, untilAccepted } from '../login-answers.ts';
import { done, say, warn, writeJson } from '../output.ts';
import { givenSecret, type Person, type PersonOptions, personFor } from '../person.ts';
import { ask, choose, isInteractive } from '../prompt.ts';
import { withSpinner } from '../spinner.ts';
import { inWords } from '../time.ts';
import type { WebOptions } from '../web-login.ts';
import type { CommandModule } from './command.ts';

interface LoginOptions extends PersonOptions, WebOptions {
  readonly web?: boolean;
  readonly password?: boolean;
  readonly clientId?: string;
  readonly clientSecretFile?: string;
  readonly otp?: string;
  readonly name?: string;
  readonly default: boolean;
  readonly remember?: boolean;
}

type Way = Person['type'] | 'web';

export const login: CommandModule<LoginOptions> = { declare, run };

function declare(command: Command): Command {
  return command
    .option('--app [id]', 'as an app: app id and app token')
    .option('--password', 'as a user: e-mail address and password')
    .option('--username <email>', 'whose password it is')
    .option('--web', "as a user, on Podio's page in the browser")
    .option('--no-browser', 'print the address of that page, and open nothing')
    .option('--port <number>', 'where on 127.0.0.1 to wait for the browser; a free port where left out')
    .option('--redirect-host <name>', "the API key's domain, where it leads to this machine")
    .option('--client-id <id>', 'the API key, where it is not known yet')
    .option('--client-secret-file <file>', "the API key's secret")
    .option('--token-stdin', 'read the app token from standard input')
    .option('--token-file <file>', 'read the app token from a file')
    .option('--password-stdin', 'read the password from standard input')
    .option('--password-file <file>', 'read the password from a file')
    .option('--otp <code>', 'the code of the two-step verification')
    .option('--name <name>', 'a short name for the identity')
    .option('--no-default', 'leave the default identity as it is')
    .option('--remember', 'keep the app token too, to log in again when the session has died')
    .addHelpText('after', EXAMPLES);
}

const EXAMPLES = `
Secrets are never option values. They come from standard input, from files, from the environment
(podio help environment), or from the prompt. The API key is asked for once: make one at
https://podio.com/settings/api.

--web opens Podio's page in the browser and waits on 127.0.0.1 for the answer; with --no-browser, or where
there is no screen, it prints the address and takes the answer from the prompt. Podio sends the browser
back to the domain of the API key only, and is said to take no "localhost". So make a key whose domain
leads to this machine: a name of your own with the address 127.0.0.1 in the DNS or in the hosts file, and
say --redirect-host NAME; without it, the browser comes back to 127.0.0.1. With a domain that leads
elsewhere too, the address at which the browser ends can be pasted.

Examples:
  podio login --app 123456
  podio login --app 123456 --token-stdin < token.txt
  podio login --password --username ada@example.com --name ada
  podio login --web --redirect-host podio.example.com`;

async function run(context: Context, options: LoginOptions): Promise<undefined> {
  checkName(options.name);
  const type = await typeOf(context, options);
  checkOptionsFit(type, options);
  if (context.io.env.PODIO_ACCESS_TOKEN)
    warn(context.io, 'PODIO_ACCESS_TOKEN is set: until you unset it, call uses it and not this session');
  if (type === 'web') return inBrowser(context, options);
  // Before anybody is asked for anything: what comes from elsewhere may turn out to be missing.
  const given = await givenSecret(context, type, options);
  const key = await apiKeyFor(context, options);
  const person = await personFor(context, { type, options, given });
  await untilAccepted(context, { key, person, otp: options.otp }, (answers) =>
    logIn(context, options, answers),
  );
}

async function logIn(context: Context, options: LoginOptions, answers: Answers): Promise<void> {
  const { key, person } = answers;
  const { clientId, clientSecret } = key;
  const identity = {
    apiUrl: context.settings.apiUrl,
    clientId,
    ...authType(person.type, person.identifier),
  };
  checkNameIsFree(context, identity, options.name);
  const before = context.register.get(identity);
  const { name: manager, because } = await context.managerName(identity);
  const client = await context.newClient({ identity, manager, clientSecret, remember: options.remember });
  const oauth = await authenticate(context, client, answers);
  const known = { ...identity, manager, name: options.name ?? before?.name };
  await remember(context, known, before, options.default);
  await tell(context, known, { oauth, place: client.place, because, isAgain: before !== undefined });
}

// Who it is, and so where the session belongs, is known when Podio has answered.
async function inBrowser(context: Context, options: LoginOptions): Promise<undefined> {
  const { apiUrl } = context.settings;
  const key = await apiKeyFor(context, options);
  const { logInWithBrowser } = await import('../web-login.ts');
  const keep = async (oauth: PodioOAuth) => {
    const { clientId } = key;
    const identity = { apiUrl, clientId, ...authType('authorization_code', String(oauth.ref?.id ?? '')) };
    checkNameIsFree(context, identity, options.name);
    const before = context.register.get(identity);
    const { name: manager, because } = await context.managerName(identity);
    const store = await context.manager(manager, identity);
    await context.keep(store, identity, oauth);
    const known = { ...identity, manager, name: options.name ?? before?.name };
    await remember(context, known, before, options.default);
    const place = store.place?.(identity) ?? manager;
    await tell(context, known, { oauth, place, because, isAgain: before !== undefined });
  };
  await logInWithBrowser(context, { ...options, key, keep });
}

async function typeOf({ io, settings }: Context, { app, password, web }: LoginOptions): Promise<Way> {
  if ([app !== undefined, password, web].filter(Boolean).length > 1)
    throw new UsageError('--app, --password and --web are ways to log in; choose one');
  if (web) return 'web';
  if (app !== undefined) return 'app';
  if (password) return 'password';
  if (!settings.mayAsk || !isInteractive(io)) {
    throw new UsageError('how to log in?', {
      hint: 'say podio login --app APP_ID, or podio login --password, or podio login --web',
    });
  }
  return choose(io, 'How do you want to log in?', [
    { value: 'app', label: 'as an app (app id and app token)' },
    { value: 'password', label: 'as a user (e-mail address and password)' },
    { value: 'web', label: "as a user, on Podio's page in the browser" },
  ]);
}

function authenticate(context: Context, client: PodioClient, answers: Answers): Promise<PodioOAuth> {
  const { type, identifier, secret } = answers.person;
  return withSpinner(context.io, 'Logging in', async (stop) => {
    try {
      if (type === 'app') return await client.authenticateWithApp(identifier, secret);
      return await client.authenticateWithPassword(
        identifier,
        secret,
        oneTimeCode(context, answers.otp, stop),
      );
    } catch (error) {
      throw isRefusal(error) ? refusedLogin(error, whatToCheck(error, answers.person)) : error;
    }
  });
}

function oneTimeCode(
  { io, settings }: Context,
  otp: string | undefined,
  beforeAsking: () => void,
): (() => Promise<string>) | undefined {
  if (otp !== undefined) return async () => otp;
  if (!settings.mayAsk || !isInteractive(io)) return undefined;
  return () => {
    beforeAsking();
    return ask(io, 'Code of the two-step verification');
  };
}

function whatToCheck({ error }: PodioError, { type, identifier, secret }: Person): string {
  if (error === 'invalid_second_factor' || error === 'nonce_validation_error')
    return 'check the code of the two-step verification; each is good for a short time only';
  if (type === 'password')
    return `check the e-mail address and the password, then: podio login --password --username ${quoted(identifier)}`;
  const odd = unquoted(secret) === secret ? '' : '; what was given has spaces, line ends or quotes around it';
  return `check the token of app ${identifier} (in the app's settings, "Developer")${odd}, then: podio login --app ${identifier}`;
}

// Options of another way to log in would be ignored without a word.
const OPTIONS_OF = {
  app: ['tokenStdin', 'tokenFile', 'remember'],
  password: ['username', 'passwordStdin', 'passwordFile', 'otp'],
  web: ['port', 'redirectHost', 'noBrowser'],
} as const;

function checkOptionsFit(type: Way, { browser, ...others }: LoginOptions): void {
  const options = { ...others, noBrowser: browser ? undefined : true };
  for (const [way, names] of Object.entries(OPTIONS_OF).filter(([way]) => way !== type)) {
    const wrong = names.find((name) => options[name] !== undefined);
    if (wrong === undefined) continue;
    const option = `--${wrong.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new UsageError(`${option} goes with --${way}, not with --${type}`, {
      hint: 'see podio help login',
    });
  }
}

// What the session is called and where it lies is remembered once it is stored, and never before.
async function remember(
  context: Context,
  known: KnownIdentity,
  before: KnownIdentity | undefined,
  isDefault: boolean,
): Promise<void> {
  const { register } = context;
  await register.add(known);
  if (isDefault) await register.choose(known);
  if (before !== undefined && before.manager !== known.manager) await forgetBefore(context, before, known);
}

async function forgetBefore(context: Context, before: KnownIdentity, known: KnownIdentity): Promise<void> {
  try {
    await context.forgetOld(before, known);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    warn(context.io, `the session before is still kept elsewhere: ${error.message}`);
  }
}

function checkName(name: string | undefined): void {
  if (name === undefined || isShortName(name)) return;
  throw new UsageError('--name takes letters, digits, ".", "_" and "-", 64 at most');
}

function checkNameIsFree({ register }: Context, identity: Identity, name: string | undefined): void {
  const other =
    name === undefined ? undefined : register.find(name).find((known) => !isSameIdentity(known, identity));
  if (other === undefined) return;
  throw new UsageError(`the name ${name} is taken by ${formatAuthType(other)}`, {
    hint: `take another name, or log that one out first: podio logout ${name}`,
  });
}

/** How a login ended. */
interface End {
  readonly oauth: PodioOAuth;
  readonly place: string;
  readonly because: string | undefined;
  /** Whether this identity had logged in before. */
  readonly isAgain: boolean;
}

async function tell({ io, settings }: Context, known: KnownIdentity, end: End): Promise<void> {
  const { oauth, place, because, isAgain } = end;
  const identity = formatAuthType(known);
  const expires_at = new Date(expiresAt(oauth)).toISOString();
  if (because !== undefined)
    warn(io, `the keychain is not used: ${because}; so the session is kept in a file`);
  if (settings.json) {
    const { name, apiUrl: api_url, manager: session_manager } = known;
    return writeJson(io, { identity, name, api_url, session_manager, place, expires_at });
  }
  const who = known.name === undefined ? identity : `${identity} (${known.name})`;
  const until = `until ${inWords(expires_at, io.now())}, then renewed by itself; kept in ${place}`;
  done(io, `Logged in as ${who} ${until}${isAgain ? ', in place of the session before' : ''}.`);
  if (io.stderr.isTTY) say(io, `Next: podio call ${firstCall(known)}`);
}

// Something that whoever has just logged in may see, and in which Podio puts no secret.
function firstCall({ type, identifier }: KnownIdentity): string {
  return type === 'app' ? `POST /item/app/${identifier}/filter/ -F limit=1` : 'GET /org/';
}

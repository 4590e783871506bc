import type { ApiKey } from '../client/token-endpoint.ts';
import type { KnownIdentity } from '../session/register.ts';
import { DamagedRecordError } from '../values/record.ts';
import type { Context } from './context.ts';
import { answerTo, secretFrom, unquoted } from './credentials.ts';
import { warn } from './output.ts';

/** The options of login that name an API key. */
export interface ApiKeyOptions {
  readonly clientId?: string;
  readonly clientSecretFile?: string;
}

/** An API key, and whether a person has just typed some of it. */
export interface ToldKey extends ApiKey {
  readonly isTyped: boolean;
}

const WHERE =
  'Podio gives access by an API key: a client id and a client secret. Make one at ' +
  'https://podio.com/settings/api (any name will do; the domain matters for --web only). ' +
  'You are asked for it this once.';

const WAYS = {
  id: '--client-id ID, or PODIO_CLIENT_ID; make one at https://podio.com/settings/api',
  secret: '--client-secret-file FILE, or PODIO_CLIENT_SECRET with PODIO_CLIENT_ID; FILE - is standard input',
};

/** The API key to log in with: option, environment, what an earlier login stored, prompt. @throws {UsageError} */
export async function apiKeyFor(context: Context, options: ApiKeyOptions): Promise<ToldKey> {
  const { env } = context.io;
  const known = [options.clientId, env.PODIO_CLIENT_ID, earlier(context)?.clientId];
  const id = await clientId(context, known);
  const given = await secretFrom(context.io, { file: options.clientSecretFile, option: '--client-secret' });
  // The variable's secret is of the variable's key.
  const isOurs = !env.PODIO_CLIENT_ID || env.PODIO_CLIENT_ID === id.text;
  const ours = isOurs ? env.PODIO_CLIENT_SECRET : undefined;
  const stored = given || ours ? undefined : await storedSecret(context, id.text);
  const secret = await clientSecret(context, [given, ours, stored]);
  return { clientId: id.text, clientSecret: secret.text, isTyped: id.isTyped || secret.isTyped };
}

/** Asks for an API key again that Podio did not take. @throws {InterruptedError} on ^C. */
export async function apiKeyAgain(context: Context, before: ApiKey): Promise<ToldKey> {
  const id = await clientId(context, [], before.clientId);
  const secret = await clientSecret(context, []);
  return { clientId: id.text, clientSecret: secret.text, isTyped: true };
}

function clientId({ io, settings }: Context, known: readonly (string | undefined)[], before?: string) {
  const again = before === undefined ? { where: WHERE } : { before };
  const question = { what: "the API key's client id", ways: WAYS.id, read: unquoted, ...again };
  return answerTo(question, known, { io, mayAsk: settings.mayAsk });
}

function clientSecret({ io, settings }: Context, known: readonly (string | undefined)[]) {
  const question = {
    what: "the API key's client secret",
    ways: WAYS.secret,
    isSecret: true,
    read: unquoted,
  };
  return answerTo(question, known, { io, mayAsk: settings.mayAsk });
}

// The default's key before that of any other identity at the same API.
function earlier({ register, settings }: Context): KnownIdentity | undefined {
  const known = register.list().filter(({ apiUrl }) => apiUrl === settings.apiUrl);
  return register.default(settings.apiUrl) ?? known[0];
}

async function storedSecret(context: Context, clientId: string): Promise<string | undefined> {
  const { register, settings } = context;
  const known = register.list().filter((one) => one.apiUrl === settings.apiUrl && one.clientId === clientId);
  for (const identity of known) {
    const clientSecret = await secretOf(context, identity);
    if (clientSecret !== undefined) return clientSecret;
  }
  return undefined;
}

// A damaged session has no secret to give; it must not stop the login that would replace it.
async function secretOf(context: Context, identity: KnownIdentity): Promise<string | undefined> {
  try {
    return (await (await context.manager(identity.manager, identity)).get(identity)).clientSecret;
  } catch (error) {
    if (!(error instanceof DamagedRecordError)) throw error;
    warn(context.io, error.message);
    return undefined;
  }
}

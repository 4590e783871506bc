import { isRefusal, refusedLogin } from '../client/failures.ts';
import type { PodioClient } from '../client/podio-client.ts';
import type { ApiKey } from '../client/token-endpoint.ts';
import { NotLoggedInError, UsageError } from '../errors.ts';
import { deadline } from '../http/deadline.ts';
import { type AuthorizeAnswer, Loopback } from '../http/loopback.ts';
import { PAGES } from '../http/loopback-page.ts';
import type { PodioOAuth } from '../values/podio-oauth.ts';
import { hasBrowser, openBrowser } from './browser.ts';
import type { Context } from './context.ts';
import { forOthers } from './environment.ts';
import { type Io, withSignal } from './io.ts';
import { say, visible, warn } from './output.ts';
import { ask, isInteractive } from './prompt.ts';
import { withSpinner } from './spinner.ts';

/** The options of login that tell how a browser gets there and back. */
export interface WebOptions {
  readonly port?: string;
  /** False with `--no-browser`. */
  readonly browser: boolean;
  readonly redirectHost?: string;
}

interface WebLogin extends WebOptions {
  readonly key: ApiKey;
  /** Stores what Podio gave, before anybody is told that it worked. */
  readonly keep: (oauth: PodioOAuth) => Promise<void>;
  /** Milliseconds that the person may take; five minutes unless told. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 5 * 60 * 1000;

/**
 * Lets a person grant access on Podio's page, in the browser, and keeps what comes of it.
 * @throws {NotLoggedInError} where they deny it, say nothing for five minutes, or Podio takes the answer back.
 * @throws {UsageError} where the port is taken. @throws {StoreError} where the session could not be kept.
 */
export async function logInWithBrowser(context: Context, login: WebLogin): Promise<void> {
  const where = { host: redirectHost(login.redirectHost), port: portNumber(login.port) };
  const client = await bareClient(context, login.key);
  const loopback = await Loopback.listen(where);
  try {
    await login.keep(
      await exchanged(context.io, client, loopback, await answerOf(context, client, loopback, login)),
    );
    await loopback.close(PAGES.done);
  } catch (error) {
    await loopback.close(error instanceof Denied ? PAGES.denied : PAGES.failed);
    throw error;
  }
}

/** The person said no. */
class Denied extends NotLoggedInError {}

// Who logs in is known when Podio has answered; until then nothing is stored.
async function bareClient(context: Context, { clientId, clientSecret }: ApiKey): Promise<PodioClient> {
  const identity = {
    apiUrl: context.settings.apiUrl,
    clientId,
    type: 'authorization_code',
    identifier: 'somebody',
  } as const;
  const { name } = await context.managerName(identity);
  // A store that is not even to be read would not keep what is fetched with so much ado.
  await (await context.manager(name, identity)).get(identity);
  return context.newClient({ identity, manager: 'memory', clientSecret });
}

async function exchanged(
  io: Io,
  client: PodioClient,
  { redirectUri }: Loopback,
  answer: AuthorizeAnswer,
): Promise<PodioOAuth> {
  if ('error' in answer) throw refused(answer);
  try {
    return await withSpinner(io, 'Logging in', () =>
      client.authenticateWithAuthorizationCode(answer.code, redirectUri),
    );
  } catch (error) {
    throw isRefusal(error)
      ? refusedLogin(error, 'a code is good once and for a short time; try again: podio login --web')
      : error;
  }
}

function refused({ error, description }: { error: string; description: string }): NotLoggedInError {
  if (error === 'access_denied') {
    return new Denied("access was denied on Podio's page", {
      hint: 'to try again, and grant it: podio login --web',
    });
  }
  const words = (description || error).slice(0, 300);
  return new NotLoggedInError(`Podio sent the browser back with an error: ${words}`, {
    hint: 'try again: podio login --web; about the API key, see podio help login',
  });
}

// The first answer counts: the browser's, or what the person pastes.
async function answerOf(
  context: Context,
  client: PodioClient,
  loopback: Loopback,
  { browser, patienceMs = PATIENCE_MS }: WebLogin,
): Promise<AuthorizeAnswer> {
  const { io } = context;
  const over = new AbortController();
  const limit = deadline(patienceMs);
  const signal = AbortSignal.any([io.signal, limit, over.signal]);
  const url = client.authorizeUrl(loopback.redirectUri, { state: loopback.state });
  const asked = askPerson(context, loopback, { url, signal, opens: browser && hasBrowser(io.env) });
  try {
    return await Promise.race([loopback.answer, asked]);
  } catch (error) {
    throw limit.aborted ? tooLate(patienceMs) : (io.signal.reason ?? error);
  } finally {
    over.abort();
    await asked.catch(() => undefined);
  }
}

interface Asking {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly opens: boolean;
}

// Where no browser opens here, the answer may have to be carried over from another machine by hand.
async function askPerson(
  { io, settings }: Context,
  loopback: Loopback,
  { url, signal, opens }: Asking,
): Promise<AuthorizeAnswer> {
  const over = aborted(signal);
  tellAddress(io, url, opens);
  if (opens) {
    await Promise.race([over, new Promise<void>((failed) => openBrowser(url, forOthers(io.env), failed))]);
    warn(io, 'the browser could not be started; open the address yourself');
  }
  if (settings.mayAsk && isInteractive(io)) return pasted(withSignal(io, signal), loopback);
  const { origin } = new URL(loopback.redirectUri);
  if (!settings.json) say(io, `Waiting for the browser to come back to ${origin}; ^C stops.`);
  return over;
}

function tellAddress(io: Io, url: string, opens: boolean): void {
  const message = `${opens ? 'Podio opens in your browser. If it does not' : 'To log in'}, go to:`;
  if (io.manner?.json) say(io, visible(JSON.stringify({ code: 'authorize', message, url })));
  else say(io, `${message}\n${visible(url)}`);
}

async function pasted(io: Io, loopback: Loopback): Promise<AuthorizeAnswer> {
  const read = (text: string) => {
    if (loopback.read(text) !== undefined) return text;
    throw new UsageError('that is no answer to this login; paste the whole address');
  };
  const text = await ask(io, 'Then paste the code, or the whole address at which the browser ends', { read });
  return loopback.read(text) ?? pasted(io, loopback);
}

function aborted(signal: AbortSignal): Promise<never> {
  const over = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // Somebody else may have seen the end first.
  over.catch(() => undefined);
  return over;
}

function tooLate(ms: number): NotLoggedInError {
  return new NotLoggedInError(`nobody answered on Podio's page within ${ms / 60_000} minutes`, {
    hint: 'try again: podio login --web; where Podio refuses the address to come back to, see podio help login',
  });
}

function portNumber(text = '0'): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new UsageError(`--port takes a number up to 65535, not "${text}"`, {
    hint: 'leave it out, and a free port is taken',
  });
}

function redirectHost(text = '127.0.0.1'): string {
  if (/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text) && URL.canParse(`http://${text}`)) return text;
  throw new UsageError(`--redirect-host takes a name that leads to this machine, not "${text}"`, {
    hint: 'give the domain alone, as it stands with the API key: --redirect-host podio.example.com',
  });
}

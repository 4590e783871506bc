import { ConnectionError, NotLoggedInError, type PodioError, RateLimitError } from '../errors.ts';
import { deadline } from '../http/deadline.ts';
import { readWhole } from '../http/decoding.ts';
import { type HttpResponse, send } from '../http/http.ts';
import { parseJsonObject } from '../values/json.ts';
import { EMPTY_OAUTH, type PodioOAuth, type PodioRef } from '../values/podio-oauth.ts';
import { brokenAnswer, failureOf } from './failures.ts';

/** An API key, made by the user at podio.com/settings/api. */
export interface ApiKey {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** What stands in a token request beside the API key (developers.podio.com/authentication). */
export type Grant =
  | { readonly grant_type: 'app'; readonly app_id: string; readonly app_token: string }
  | { readonly grant_type: 'password'; readonly username: string; readonly password: string }
  | { readonly grant_type: 'authorization_code'; readonly code: string; readonly redirect_uri: string }
  | { readonly grant_type: 'refresh_token'; readonly refresh_token: string };

/** Podio wants a one-time code before it gives tokens: two-step verification is on for this user. */
export class SecondFactorNeeded extends NotLoggedInError {
  readonly nonce: string;

  constructor(nonce: string) {
    super('Podio asks for the code of the two-step verification', {
      hint: 'log in yourself: podio login --password --otp CODE',
    });
    this.nonce = nonce;
  }
}

/** Everything that asks Podio for tokens needs. */
export interface TokenEndpointOptions {
  readonly apiUrl: string;
  readonly userAgent: string;
  readonly now: () => number;
  /** What all who ask with the same API key know of each other; none where they need not. */
  readonly coolDown?: SharedCoolDown | undefined;
  /** Milliseconds until an exchange is given up; 10,000 unless told. */
  readonly timeoutMs?: number | undefined;
}

/** Until when nobody should ask, in epoch milliseconds; kept where every process that asks can see it. */
export interface SharedCoolDown {
  until(): number;
  start(until: number): Promise<void>;
  end(): void;
}

// Whoever asks for tokens may hold a lock that others wait for.
const TIMEOUT_MS = 10_000;
const LONGEST_ANSWER = 1024 * 1024;
// Podio counts by the hour: whatever lies further ahead comes from a clock that was wrong.
const LONGEST_WAIT_MS = 2 * 60 * 60 * 1000;

type Fields = Readonly<Record<string, string>>;

interface Encoding {
  readonly type: string;
  readonly encode: (fields: Fields) => string;
}

const FORM: Encoding = {
  type: 'application/x-www-form-urlencoded',
  encode: (fields) => new URLSearchParams(fields).toString(),
};
const JSON_BODY: Encoding = { type: 'application/json', encode: (fields) => JSON.stringify(fields) };

/** Podio's token endpoint: exchanges credentials for tokens. Follows no redirect, repeats nothing. */
export class TokenEndpoint {
  readonly #options: TokenEndpointOptions;

  constructor(options: TokenEndpointOptions) {
    this.#options = options;
  }

  /**
   * One exchange, as a form to `/oauth/token`.
   * @throws {SecondFactorNeeded} where a password alone does not do.
   * @throws {PodioError} where Podio refuses, fails or answers with no tokens. @throws {ConnectionError}
   */
  async exchange(grant: Grant, key: ApiKey): Promise<PodioOAuth> {
    return this.#post('/oauth/token', FORM, {
      ...grant,
      client_id: key.clientId,
      client_secret: key.clientSecret,
    });
  }

  /** The second step of a password login: the nonce of the first, and the one-time code. */
  async verify(nonce: string, otp: string): Promise<PodioOAuth> {
    return this.#post('/mfa/verify', JSON_BODY, { nonce, otp });
  }

  async #post(path: string, encoding: Encoding, fields: Fields): Promise<PodioOAuth> {
    const { coolDown, now } = this.#options;
    const until = coolDown?.until() ?? 0;
    const asked = now();
    if (until > asked && until - asked <= LONGEST_WAIT_MS) throw coolingDown(until, asked);
    // Before the exchange: after it nothing may stand between the tokens and the place where they are kept.
    if (until > 0) coolDown?.end();
    try {
      return await this.#send(path, encoding, fields);
    } catch (error) {
      if (error instanceof RateLimitError) await this.#coolDown(error);
      throw error instanceof ConnectionError ? forGood(error) : error;
    }
  }

  async #send(path: string, { type, encode }: Encoding, fields: Fields): Promise<PodioOAuth> {
    const { apiUrl: origin, userAgent, now, timeoutMs = TIMEOUT_MS } = this.#options;
    const asked = now();
    const headers = { 'content-type': type, accept: 'application/json', 'user-agent': userAgent };
    const response = await send({
      ...{ method: 'POST', origin, path, headers, timeoutMs },
      body: encode(fields),
      signal: deadline(timeoutMs),
    });
    const tooLong = () => noAnswer(response, 'the answer of the token endpoint is far too long');
    const text = (await readWhole(response.body, LONGEST_ANSWER, tooLong)).toString();
    if (response.status !== 200) throw refusal(response, withoutSecrets(text, fields));
    return readTokens(response, text, asked);
  }

  // That the others cannot be told is no reason to hide what Podio said.
  async #coolDown({ waitSeconds = 60 }: RateLimitError): Promise<void> {
    const wait = Math.min(waitSeconds * 1000, LONGEST_WAIT_MS);
    await this.#options.coolDown?.start(this.#options.now() + wait).catch(() => undefined);
  }
}

// Whether a refresh token was used up before the connection broke is not known: the same call does not try it again.
function forGood({ message, hint, cause }: ConnectionError): ConnectionError {
  return new ConnectionError(message, { hint, cause });
}

function coolingDown(until: number, now: number): RateLimitError {
  const waitSeconds = Math.ceil((until - now) / 1000);
  return new RateLimitError('Podio asked to be left alone with logins and renewals for a while', {
    status: 420,
    error: 'rate_limit',
    waitSeconds,
    hint: `try again in ${waitSeconds} s, at ${new Date(until).toISOString()}`,
  });
}

function refusal(response: HttpResponse, text: string): PodioError {
  const { status } = response;
  if (status >= 300 && status < 400)
    return brokenAnswer(
      response,
      'the token endpoint redirects elsewhere; the credentials were not sent there',
    );
  const failure = failureOf(response, text);
  const saysNothing = status >= 400 && status < 500 && failure.error === '';
  if (!saysNothing || failure instanceof RateLimitError) return failure;
  return noAnswer(response, `the token endpoint answered ${status} and did not say why`);
}

// RFC 6749 §5.2: a refusal is JSON and names its kind. What does not is somebody else's, whatever its status says.
function noAnswer(response: HttpResponse, what: string): PodioError {
  return brokenAnswer({ ...response, status: 0 }, what);
}

const SECRETS = ['client_secret', 'app_token', 'password', 'code', 'refresh_token', 'nonce', 'otp'];

// An answer may repeat what it was asked with; no secret may get into a message so, and from there into a log.
function withoutSecrets(json: string, fields: Fields): string {
  const secrets = SECRETS.flatMap((name) => writings(fields[name] ?? ''));
  const clean = (text: string) => secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  try {
    return JSON.stringify(
      JSON.parse(json, (_, value: unknown) => (typeof value === 'string' ? clean(value) : value)),
    );
  } catch {
    return '';
  }
}

function writings(secret: string): string[] {
  if (secret.length < 4) return [];
  return [secret, encodeURIComponent(secret), new URLSearchParams({ '': secret }).toString().slice(1)];
}

function readTokens(response: HttpResponse, text: string, now: number): PodioOAuth {
  const answer = parseJsonObject(text) ?? {};
  if (isToken(answer.server_nonce)) throw new SecondFactorNeeded(answer.server_nonce);
  if (!isToken(answer.access_token))
    throw brokenAnswer(response, 'the token endpoint answered without a token');
  return {
    ...EMPTY_OAUTH,
    accessToken: answer.access_token,
    refreshToken: isToken(answer.refresh_token) ? answer.refresh_token : '',
    scope: isShort(answer.scope) ? answer.scope : '',
    ref: readRef(answer.ref),
    expiresIn: isLifetime(answer.expires_in) ? answer.expires_in : USUAL_LIFETIME,
    obtainedAt: now,
  };
}

// RFC 6749 appendix A: visible ASCII. Anything else could not be sent back in a header, nor could anything longer.
function isToken(value: unknown): value is string {
  return isShort(value) && /^[\x21-\x7e]+$/.test(value);
}

// What is stored must be possible to read again.
function isShort(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 8192;
}

// Seconds: 8 hours (developers.podio.com/authentication). Should it be shorter, a 401 will tell.
const USUAL_LIFETIME = 8 * 60 * 60;

// What cannot be the life of a token says nothing of it.
function isLifetime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 10 * 365 * 86_400;
}

function readRef(value: unknown): PodioRef | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, id }: { type?: unknown; id?: unknown } = value;
  return isShort(type) && typeof id === 'number' && Number.isFinite(id) ? { type, id } : undefined;
}

import * as path from 'node:path';
import { PodioError } from '../errors.ts';
import { Connections } from '../http/connections.ts';
import { readWhole } from '../http/decoding.ts';
import { prepare } from '../http/dial.ts';
import { type HttpResponse, send, type Watch } from '../http/http.ts';
import { type GivenManager, type ReadyManager, readyManager } from '../session/managers/given.ts';
import type { ManagerOptions } from '../session/managers/index.ts';
import { Session } from '../session/session.ts';
import type { Body } from '../values/body.ts';
import { apiOrigin, PODIO_API } from '../values/origin.ts';
import { dataFolder } from '../values/places.ts';
import { EMPTY_OAUTH, isUsable, type PodioOAuth } from '../values/podio-oauth.ts';
import { type Query, withQuery } from '../values/query.ts';
import { type RateLimit, rateLimitOf } from '../values/rate-limit.ts';
import type { AuthType } from '../values/session-manager.ts';
import { type AuthorizeOptions, authorizeUrl } from './authorize-url.ts';
import { brokenAnswer, failureOf, isStaleToken } from './failures.ts';
import { authTypeOf, grantOf, type Login } from './login.ts';
import { nobody, onlySession } from './only-session.ts';
import { followed } from './redirects.ts';
import { requestHeaders, USER_AGENT } from './request-headers.ts';
import { type Keep, SessionTokens, type Usable } from './session-tokens.ts';
import { resolveTarget, type Target } from './target.ts';
import { type ApiKey, SecondFactorNeeded, type SharedCoolDown, TokenEndpoint } from './token-endpoint.ts';

/** What a client is made of. */
export interface PodioClientOptions {
  readonly clientId: string;
  /** May be left out where the stored session remembers it. */
  readonly clientSecret?: string | undefined;
  /**
   * Where sessions are kept: a name (`file`, `keychain`, `memory`, a URL), a class with `get` and `set` that the client
   * makes (with `{ apiUrl, clientId, folder }`), or an instance. Default: this process's memory.
   */
  readonly sessionManager?: GivenManager | undefined;
  /** Whose session to use until one of the `authenticateWith…` names another; the only one there is where left out. */
  readonly authType?: AuthType | undefined;
  /** Where managers chosen by name or made by class keep their files: an absolute path. Default: where `podio` has them. */
  readonly folder?: string | undefined;
  /** Default: `https://api.podio.com`. */
  readonly apiUrl?: string;
  /** Gets a session by itself where none is stored, or where Podio no longer takes the stored one. */
  readonly login?: Login | undefined;
  /** Which secrets are stored with the session; none by default. */
  readonly keep?: Keep;
  /** Used as it is, in place of any session: nothing is stored, read or refreshed. */
  readonly accessToken?: string | undefined;
  /** Where a 420 of the token endpoint is told to other processes. */
  readonly coolDown?: SharedCoolDown | undefined;
  /** Where the rate budget that each answer names is told to other processes. */
  readonly ledger?: LimitListener | undefined;
  /**
   * For whoever makes many calls: connections that are kept open. The session is then read once, and again only
   * where it is due or refused.
   */
  readonly connections?: Connections | undefined;
  readonly now?: () => number;
}

/** Hears what each answer says of the rate budget. */
export interface LimitListener {
  note(seen: RateLimit): void;
}

/** The answer to a call. */
export interface ApiAnswer extends HttpResponse {
  /** How often the call was sent: twice where a token that had ended was renewed for it. */
  readonly attempts: number;
}

/** One call to the API. */
export interface ApiCall {
  readonly method: string;
  /** A path, sent exactly as written, or a full URL of the API's own origin. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Body | undefined;
  /** Milliseconds without a sign of life before the call is given up; 60,000 by default. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Is told of each request that goes out, a repeated or redirected one too, with its token; and of each answer. */
  readonly watch?: Watch | undefined;
}

const LONGEST_ERROR = 1024 * 1024;
const LONGEST_JSON = 64 * 1024 * 1024;

/** Logs in to Podio, keeps the session in a session manager, and makes calls with it. */
export class PodioClient {
  readonly #options: PodioClientOptions;
  readonly #apiUrl: string;
  readonly #endpoint: TokenEndpoint;
  readonly #kept: ReadyManager;
  readonly #renewals = new Set<Promise<unknown>>();
  readonly #connections: Connections;
  #session: Session | undefined;
  #held: Usable | undefined;
  #rateLimit: RateLimit | undefined;

  /** @throws {UsageError} where the API's URL is not https (or http on loopback), or the session manager is none. */
  constructor(options: PodioClientOptions) {
    const { now = Date.now, coolDown, authType, sessionManager } = options;
    this.#options = options;
    this.#connections = options.connections ?? new Connections();
    this.#apiUrl = apiOrigin(options.apiUrl ?? PODIO_API);
    this.#kept = readyManager(sessionManager, surroundings(this.#apiUrl, options));
    this.#endpoint = new TokenEndpoint({ apiUrl: this.#apiUrl, userAgent: USER_AGENT, now, coolDown });
    this.#session = authType && this.#sessionOf(authType);
  }

  /** Logs in as an app (app id and app token) and stores the session. @throws {PodioError} where Podio refuses. */
  async authenticateWithApp(appId: string, appToken: string): Promise<PodioOAuth> {
    return this.#logIn({ type: 'app', appId, appToken });
  }

  /**
   * Logs in as a user and stores the session. `otp` is asked for the one-time code where Podio wants one.
   * @throws {SecondFactorNeeded} where Podio wants one and there is nobody to ask.
   */
  async authenticateWithPassword(
    username: string,
    password: string,
    otp?: () => Promise<string>,
  ): Promise<PodioOAuth> {
    try {
      return await this.#logIn({ type: 'password', username, password });
    } catch (error) {
      if (!(error instanceof SecondFactorNeeded) || otp === undefined) throw error;
      const code = await otp();
      return this.#logInAs({ type: 'password', identifier: username }, () =>
        this.#endpoint.verify(error.nonce, code),
      );
    }
  }

  /** The address of Podio's page on which a user grants access; the browser comes back from it to `redirectUri`. @throws {UsageError} */
  authorizeUrl(redirectUri: string, options: AuthorizeOptions): string {
    const { clientId } = this.#options;
    return authorizeUrl({ apiUrl: this.#apiUrl, clientId }, redirectUri, options);
  }

  /** Exchanges the code that the browser brought back, and stores the session under the user's id. */
  async authenticateWithAuthorizationCode(code: string, redirectUri: string): Promise<PodioOAuth> {
    const key = { clientId: this.#options.clientId, clientSecret: this.#options.clientSecret ?? '' };
    const grant = { grant_type: 'authorization_code', code, redirect_uri: redirectUri } as const;
    const brought = await this.#endpoint.exchange(grant, key);
    if (brought.ref === undefined) throw namelessAnswer();
    const identifier = String(brought.ref.id);
    return this.#logInAs({ type: 'authorization_code', identifier }, async () => brought);
  }

  /** A session that can be used for so many seconds at least, renewed where it is due. @throws {NotLoggedInError} */
  async session(minTtlSeconds = 0): Promise<PodioOAuth> {
    return (await this.#usable(minTtlSeconds)).oauth;
  }

  /** The session as it is stored, usable or not; the empty PodioOAuth where there is none. @throws {StoreError} */
  async stored(): Promise<PodioOAuth> {
    return (await this.#required()).current();
  }

  /** Where the session is kept, in words for people. */
  get place(): string {
    return this.#session?.place ?? 'the session manager';
  }

  /** Renews the session whether or not it is due. @throws {NotLoggedInError} */
  async refreshAccessToken(): Promise<PodioOAuth> {
    return this.#renew((session) => session.current());
  }

  /** Forgets the stored session; Podio is not told. */
  async clearAuthentication(): Promise<void> {
    await (await this.#meant())?.forget();
  }

  /** Ends the grant at Podio, all its tokens with it. */
  async revoke(): Promise<void> {
    await this.request('POST', '/oauth/grant/invalidate');
  }

  /** The rate budget that the last answer named; undefined before the first one that did. */
  get rateLimit(): RateLimit | undefined {
    return this.#rateLimit;
  }

  /** Whether a session is stored that can still be used: valid, or renewable. Podio is not asked. @throws {StoreError} */
  async isAuthenticated(): Promise<boolean> {
    if (this.#options.accessToken !== undefined) return true;
    const stored = await (await this.#meant())?.current();
    return stored !== undefined && isUsable(stored, (this.#options.now ?? Date.now)());
  }

  /** GET; the parsed JSON of the answer. @throws {PodioError} */
  async get(path: string, query: Query = {}): Promise<unknown> {
    return this.request('GET', withQuery(path, Object.entries(query)));
  }

  /** POST with a JSON body. @throws {PodioError} */
  async post(path: string, body?: unknown): Promise<unknown> {
    return this.request('POST', path, body);
  }

  /** PUT with a JSON body. @throws {PodioError} */
  async put(path: string, body?: unknown): Promise<unknown> {
    return this.request('PUT', path, body);
  }

  /** DELETE; what it says, it says in the query. @throws {PodioError} */
  async delete(path: string, query: Query = {}): Promise<unknown> {
    return this.request('DELETE', withQuery(path, Object.entries(query)));
  }

  /** One call; the parsed JSON of the answer, undefined where it has no body. @throws {PodioError} */
  async request(method: string, path: string, body?: unknown): Promise<unknown> {
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await this.call({ method, path, ...json });
    const tooLong = () => brokenAnswer(answer, 'the answer is too long to be read at once');
    const text = (await readWhole(answer.body, LONGEST_JSON, tooLong)).toString();
    if (answer.status >= 300) throw failureOf(answer, text);
    return text === '' ? undefined : parseAnswer(answer, text);
  }

  /**
   * One call; resolves with whatever Podio answers, good or bad. A token that Podio calls expired is renewed once,
   * and the call repeated once.
   * @throws {NotLoggedInError} @throws {ConnectionError} @throws {StoreError}
   */
  async call(call: ApiCall): Promise<ApiAnswer> {
    const target = resolveTarget(call.path, this.#apiUrl);
    const usable = this.#usable();
    // A keychain or a Redis takes as long as this to answer.
    if (this.#held === undefined) void prepare(this.#apiUrl);
    const { oauth, isNew } = await usable;
    const answer = await this.#sent(call, target, oauth);
    if (answer.status !== 401 || isNew) return { ...answer, attempts: 1 };
    const text = await readWhole(answer.body, LONGEST_ERROR, () =>
      brokenAnswer(answer, 'the answer is too long'),
    );
    if (!isStaleToken(failureOf(answer, text.toString()))) {
      const { Readable } = await import('node:stream');
      return { ...answer, body: Readable.from([text]), attempts: 1 };
    }
    const renewed = await this.#renew(async () => oauth);
    this.#hold(renewed);
    return { ...(await this.#sent(call, target, renewed)), attempts: 2 };
  }

  /**
   * Waits for a login or renewal that is under way, and closes the session manager that was opened for this client.
   * An instance that was passed stays open.
   */
  async close(): Promise<void> {
    await Promise.allSettled(this.#renewals);
    this.#connections.closeFree();
    if (this.#kept.isOurs) await this.#kept.manager.close?.();
  }

  /** `await using client = …` closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #usable(minTtlSeconds = 0): Promise<Usable> {
    const { accessToken } = this.#options;
    if (accessToken !== undefined) return { oauth: { ...EMPTY_OAUTH, accessToken }, isNew: true };
    const tokens = this.#tokensOf(await this.#required());
    if (this.#held && !tokens.isDue(this.#held.oauth, minTtlSeconds)) return this.#held;
    const usable = await this.#awaited(() => tokens.current(minTtlSeconds));
    this.#hold(usable.oauth);
    return usable;
  }

  // However new it was at first, it may be refused later on.
  #hold(oauth: PodioOAuth): void {
    if (this.#options.connections !== undefined) this.#held = { oauth, isNew: false };
  }

  async #sent(call: ApiCall, target: Target, { accessToken }: PodioOAuth): Promise<HttpResponse> {
    call.signal?.throwIfAborted();
    const { method, body, timeoutMs = 60_000, signal, watch } = call;
    const headers = requestHeaders(call, accessToken);
    const connections = this.#connections;
    const request = { method, headers, body, timeoutMs, signal, watch, connections };
    const answer = await followed(target, ({ origin, path }) => send({ ...request, origin, path }), method);
    this.#note(answer);
    return answer;
  }

  // Whom Podio did not recognise, it tells of nobody's budget.
  #note({ status, headers }: HttpResponse): void {
    const seen = status === 401 ? undefined : rateLimitOf(headers, (this.#options.now ?? Date.now)());
    if (seen === undefined) return;
    this.#rateLimit = seen;
    this.#options.ledger?.note(seen);
  }

  async #logIn(login: Login): Promise<PodioOAuth> {
    const appToken = login.type === 'app' ? login.appToken : undefined;
    const bring = (key: ApiKey) => this.#endpoint.exchange(grantOf(login), key);
    return this.#logInAs(authTypeOf(login), bring, appToken);
  }

  // A refused login leaves the client with the session that it had.
  async #logInAs(authType: AuthType, bring: (key: ApiKey) => Promise<PodioOAuth>, appToken?: string) {
    const session = this.#sessionOf(authType);
    const oauth = await this.#awaited(() => this.#tokensOf(session).logIn(bring, appToken));
    this.#session = session;
    this.#held = undefined;
    return oauth;
  }

  async #renew(stale: (session: Session) => Promise<PodioOAuth>): Promise<PodioOAuth> {
    return this.#awaited(async () => {
      const session = await this.#required();
      return (await this.#tokensOf(session).renew(await stale(session))).oauth;
    });
  }

  // What may be about to store a session is not to find the manager closed.
  async #awaited<T>(work: () => Promise<T>): Promise<T> {
    const renewal = work();
    this.#renewals.add(renewal);
    return renewal.finally(() => this.#renewals.delete(renewal));
  }

  #sessionOf(authType: AuthType): Session {
    return new Session({ manager: this.#kept.manager, authType });
  }

  #tokensOf(session: Session): SessionTokens {
    const { clientId, clientSecret, login, keep = {}, now = Date.now } = this.#options;
    return new SessionTokens({ session, endpoint: this.#endpoint, clientId, clientSecret, login, keep, now });
  }

  async #meant(): Promise<Session | undefined> {
    const found = this.#session ?? (await onlySession(this.#kept.manager));
    // A login that has come meanwhile stands above what was found.
    this.#session ??= found;
    return this.#session;
  }

  async #required(): Promise<Session> {
    const session = await this.#meant();
    if (session === undefined) throw nobody();
    return session;
  }
}

// Only who keeps files asks for the folder: where there is none, others must not fail for it.
function surroundings(apiUrl: string, { clientId, folder }: PodioClientOptions): ManagerOptions {
  return {
    apiUrl,
    clientId,
    get folder() {
      return folder ?? path.join(dataFolder(process.env), 'sessions');
    },
  };
}

function namelessAnswer(): PodioError {
  return new PodioError('the token endpoint does not say who logged in', { status: 200, error: '' });
}

function parseAnswer(answer: HttpResponse, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw brokenAnswer(answer, 'the answer is not JSON');
  }
}

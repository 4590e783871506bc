import { Failure, InterruptedError, NotLoggedInError, PodioError, UsageError } from '../errors.ts';
import type { Session } from '../session/session.ts';
import { formatAuthType } from '../values/identity.ts';
import { loginCommand } from '../values/login-command.ts';
import { expiresAt, isEmpty, type PodioOAuth } from '../values/podio-oauth.ts';
import { isRefusal, refusedLogin } from './failures.ts';
import { grantOf, type Login, leadsTo, rememberedLogin } from './login.ts';
import type { ApiKey, Grant, TokenEndpoint } from './token-endpoint.ts';

/** A session, and what is needed to renew it. */
export interface SessionTokensOptions {
  readonly session: Session;
  readonly endpoint: TokenEndpoint;
  readonly clientId: string;
  /** Where it is left out, the secret that the stored session remembers serves. */
  readonly clientSecret: string | undefined;
  /** Gets a session where none is stored, or where Podio no longer takes its refresh token. */
  readonly login: Login | undefined;
  readonly keep: Keep;
  readonly now: () => number;
}

/** Which secrets are stored with the session, so that a later process can renew it by itself. */
export interface Keep {
  readonly clientSecret?: boolean;
  readonly appToken?: boolean;
}

/** A session that can be used now. */
export interface Usable {
  readonly oauth: PodioOAuth;
  /** Got a moment ago: if Podio refuses it, asking for another would not help. */
  readonly isNew: boolean;
}

// Refreshed a minute early, and up to a minute more, so that a fleet does not refresh in the same second.
const EARLY_MS = 60_000 + Math.random() * 60_000;

/** Gives tokens that can be used now: the stored ones, renewed where they are due, by one process for all. */
export class SessionTokens {
  readonly #options: SessionTokensOptions;

  constructor(options: SessionTokensOptions) {
    this.#options = options;
  }

  /**
   * The stored session; a new one where it is due or missing, or where it would end within so many seconds.
   * @throws {NotLoggedInError} where there is none and no login at hand.
   */
  async current(minTtlSeconds = 0): Promise<Usable> {
    const stored = await this.#options.session.current();
    if (!isEmpty(stored) && !this.isDue(stored, minTtlSeconds)) return { oauth: stored, isNew: false };
    try {
      return await this.renew(stored);
    } catch (error) {
      // Renewing early is a courtesy: while the old token holds, no trouble with a new one need stop a call.
      if (this.#canStillServe(stored, error)) return { oauth: stored, isNew: false };
      throw error;
    }
  }

  /** What is stored is no longer of use: another process's newer session where there is one, else a new one. */
  async renew(stale: PodioOAuth): Promise<Usable> {
    let isNew = false;
    const isEnough = (stored: PodioOAuth) => !isEmpty(stored) && stored.accessToken !== stale.accessToken;
    const oauth = await this.#options.session.update(async (read) => {
      const stored = await read();
      if (isEnough(stored)) return stored;
      isNew = true;
      return () => this.#bring(stored, read);
    }, isEnough);
    return { oauth, isNew };
  }

  /** Stores what a login brings in place of whatever is there. */
  async logIn(bring: (key: ApiKey) => Promise<PodioOAuth>, appToken?: string): Promise<PodioOAuth> {
    const key = this.#key(undefined);
    const { session, keep } = this.#options;
    return session.update(async () => async () => ({
      ...(await bring(key)),
      ...(keep.clientSecret && { clientSecret: key.clientSecret }),
      ...(keep.appToken && { appToken }),
    }));
  }

  async #bring(stored: PodioOAuth, read: () => Promise<PodioOAuth>): Promise<PodioOAuth> {
    if (stored.refreshToken === '') return this.#logInAgain(stored, undefined);
    try {
      const fresh = await this.#exchange(
        { grant_type: 'refresh_token', refresh_token: stored.refreshToken },
        stored,
      );
      // RFC 6749 §6: an answer without a refresh token leaves the old one in force.
      return { ...fresh, refreshToken: fresh.refreshToken || stored.refreshToken };
    } catch (error) {
      if (!isDeadGrant(error)) throw isRefusal(error) ? refusedLogin(error, LOG_IN_AGAIN) : error;
      // Others may write without our lock (podio-php does): what lies there now decides, not what was read before.
      const again = await read();
      return again.refreshToken !== stored.refreshToken ? again : this.#logInAgain(stored, error);
    }
  }

  async #logInAgain(stored: PodioOAuth, cause: unknown): Promise<PodioOAuth> {
    const { session, login } = this.#options;
    const known = leadsTo(login, session.authType) ? login : rememberedLogin(stored, session.authType);
    if (known === undefined) throw notLoggedIn(session, stored, cause);
    try {
      return await this.#exchange(grantOf(known), stored);
    } catch (error) {
      throw isRefusal(error)
        ? refusedLogin(error, known === login ? CHECKS[known.type] : LOG_IN_AGAIN)
        : error;
    }
  }

  async #exchange(grant: Grant, stored: PodioOAuth): Promise<PodioOAuth> {
    const key = this.#key(stored.clientSecret);
    const fresh = await this.#options.endpoint.exchange(grant, key);
    const clientSecret = this.#options.keep.clientSecret ? key.clientSecret : stored.clientSecret;
    return {
      ...fresh,
      ...(clientSecret !== undefined && { clientSecret }),
      ...(stored.appToken !== undefined && { appToken: stored.appToken }),
    };
  }

  #key(stored: string | undefined): ApiKey {
    const { clientId, clientSecret = stored } = this.#options;
    if (clientSecret !== undefined) return { clientId, clientSecret };
    throw new UsageError(`the client secret of API key ${clientId} is not known`, {
      hint: 'set PODIO_CLIENT_SECRET, or log in again with --client-secret-file FILE',
    });
  }

  /**
   * Whether it is time for another session, or it would end within so many seconds; of one that never lasts as long,
   * most of its life is enough. One whose time of issue nobody kept is taken as it is: a 401 will tell.
   */
  isDue(oauth: PodioOAuth, minTtlSeconds = 0): boolean {
    const early = Math.max(
      Math.min(EARLY_MS, oauth.expiresIn * 100),
      Math.min(minTtlSeconds * 1000, oauth.expiresIn * 800),
    );
    return oauth.obtainedAt > 0 && oauth.expiresIn > 0 && this.#options.now() >= expiresAt(oauth) - early;
  }

  #canStillServe(stored: PodioOAuth, error: unknown): boolean {
    if (!(error instanceof Failure) || error instanceof InterruptedError) return false;
    return !isEmpty(stored) && this.#options.now() < expiresAt(stored);
  }
}

const LOG_IN_AGAIN = 'log in again: podio login';

const CHECKS: Readonly<Record<Login['type'], string>> = {
  app: 'check the app id and the app token: PODIO_APP_ID and PODIO_APP_TOKEN',
  password: 'check the e-mail address and the password: PODIO_USERNAME and PODIO_PASSWORD',
};

function isDeadGrant(error: unknown): boolean {
  return error instanceof PodioError && error.status < 500 && error.error === 'invalid_grant';
}

function notLoggedIn({ authType }: Session, stored: PodioOAuth, cause: unknown): NotLoggedInError {
  const who = formatAuthType(authType);
  const what = isEmpty(stored) ? `no session is stored for ${who}` : `the session of ${who} has ended`;
  return new NotLoggedInError(what, { hint: `log in: ${loginCommand(authType)}`, cause });
}

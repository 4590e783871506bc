import { randomBytes } from 'node:crypto';

const REFRESH_TOKEN_DAYS = 28;

/** On whose behalf a token acts: an app or a user. */
export interface Ref {
  readonly type: 'app' | 'user';
  readonly id: number;
}

/** One login; every token that descends from it belongs to this very object. */
export interface Login {
  readonly clientId: string;
  readonly ref: Ref;
  readonly scope: string;
}

/** How tokens live and die. */
export interface TokenPolicy {
  /** Seconds; fractions and 0 are allowed. */
  readonly expiresIn: number;
  /** Whether a refresh token is used up by a refresh and another one takes its place. */
  readonly rotate: boolean;
  /** Whether a refresh is answered without a refresh token; the old one stays good. */
  readonly omitRefreshToken: boolean;
  /** Whether a refresh token that comes back used ends all tokens of its login. */
  readonly endFamilyOnReplay: boolean;
}

/** A token response (developers.podio.com/authentication). */
export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: 'bearer';
  readonly expires_in: number;
  readonly ref: Ref;
  readonly scope: string;
  readonly refresh_token?: string;
}

interface IssuedToken {
  readonly login: Login;
  /** Epoch milliseconds. */
  expiresAt: number;
  used: boolean;
}

/** Every token the sandbox has issued. */
export class Tokens {
  readonly #policy: TokenPolicy;
  readonly #access = new Map<string, IssuedToken>();
  readonly #refresh = new Map<string, IssuedToken>();
  readonly #ended = new WeakSet<Login>();

  constructor(policy: TokenPolicy) {
    this.#policy = policy;
  }

  /** All tokens ever issued, dead ones too. */
  get issued(): readonly string[] {
    return [...this.#access.keys(), ...this.#refresh.keys()];
  }

  /** The first pair of a login. */
  issue(login: Login): TokenResponse {
    return { ...this.#newAccess(login), refresh_token: this.#newRefresh(login) };
  }

  /** Exchanges a refresh token; undefined where it is unknown, expired, used up, ended or another client's. */
  refresh(refreshToken: string, clientId: string): TokenResponse | undefined {
    const found = this.#refresh.get(refreshToken);
    if (found === undefined || found.login.clientId !== clientId) return undefined;
    if (found.used && this.#policy.endFamilyOnReplay) this.end(found.login);
    return this.#isAlive(found) ? this.#exchange(refreshToken, found) : undefined;
  }

  /** The login behind an access token that is good now. */
  find(accessToken: string): Login | undefined {
    const found = this.#access.get(accessToken);
    return found && this.#isAlive(found) ? found.login : undefined;
  }

  /** Ends every token of one login. */
  end(login: Login): void {
    this.#ended.add(login);
  }

  /** Ends every token of one app or user, whichever login it came from; of all where `ref` is left out. */
  endAll(ref?: Ref): void {
    for (const { login } of this.#refresh.values()) {
      if (ref === undefined || (login.ref.type === ref.type && login.ref.id === ref.id)) this.end(login);
    }
  }

  /** Makes every access token issued so far too old. */
  expireAccess(): void {
    for (const token of this.#access.values()) token.expiresAt = 0;
  }

  /** Makes every refresh token issued so far too old. */
  expireRefresh(): void {
    for (const token of this.#refresh.values()) token.expiresAt = 0;
  }

  #exchange(refreshToken: string, token: IssuedToken): TokenResponse {
    const { omitRefreshToken, rotate } = this.#policy;
    if (omitRefreshToken) return this.#newAccess(token.login);
    if (!rotate) return { ...this.#newAccess(token.login), refresh_token: refreshToken };
    token.used = true;
    return this.issue(token.login);
  }

  #newAccess(login: Login): TokenResponse {
    const { expiresIn } = this.#policy;
    const access_token = store(this.#access, login, expiresIn);
    return { access_token, token_type: 'bearer', expires_in: expiresIn, ref: login.ref, scope: login.scope };
  }

  #newRefresh(login: Login): string {
    return store(this.#refresh, login, REFRESH_TOKEN_DAYS * 24 * 60 * 60);
  }

  #isAlive({ login, used, expiresAt }: IssuedToken): boolean {
    return !used && Date.now() < expiresAt && !this.#ended.has(login);
  }
}

function store(tokens: Map<string, IssuedToken>, login: Login, seconds: number): string {
  const token = randomBytes(64).toString('hex');
  tokens.set(token, { login, expiresAt: Date.now() + seconds * 1000, used: false });
  return token;
}

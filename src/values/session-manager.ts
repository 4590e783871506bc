import type { PodioOAuth } from './podio-oauth.ts';
import type { RateLimit } from './rate-limit.ts';

/** The ways to log in, as sessions are named by them. */
export const AUTH_TYPES = ['app', 'password', 'authorization_code'] as const;

/** How someone logged in; the same pair names the session in every manager. */
export interface AuthType {
  readonly type: (typeof AUTH_TYPES)[number];
  /** The app id, the e-mail address, or the user id. */
  readonly identifier: string;
}

/** What sessions of one manager share: a session is never used with another API or API key. */
export interface SessionScope {
  /** The API's origin, e.g. `https://api.podio.com`. */
  readonly apiUrl: string;
  readonly clientId: string;
}

/** Gives back what was taken: a lock, a reservation. Calling it twice is harmless. */
export type Release = () => void | Promise<void>;

/** Whether what somebody waits for has been done by another meanwhile. */
export type IsMoot = () => Promise<boolean>;

/** Keeps sessions. `get` and `set` are all that a manager of one's own needs. */
export interface SessionManager {
  /** The API whose sessions it keeps, where those of one only: a client of another API refuses it. */
  readonly apiUrl?: string;
  /** The stored session; the empty PodioOAuth where there is none. Trouble throws, it never answers "empty". */
  get(authType: AuthType): Promise<PodioOAuth>;
  /** Stores the session; the empty PodioOAuth forgets it. Resolves once it is kept for good. */
  set(oauth: PodioOAuth, authType: AuthType): Promise<void>;
  /** The auth types that have a session here. */
  list?(): Promise<AuthType[]>;
  /**
   * Shuts out other processes until released; without it the process's own lock serves. Where `isMoot` answers true
   * while it waits for another, it may stop waiting and answer without the lock.
   */
  lock?(authType: AuthType, isMoot?: IsMoot): Promise<Release>;
  /** Makes sure, under the lock, that the next `set` has a place to go, before a token is spent on it. */
  reserve?(authType: AuthType): Promise<Release>;
  /** Where the session is kept, in words for people: `the file /home/ada/…`. */
  place?(authType: AuthType): string;
  /** Where all that share this manager tell each other of the rate budget; without it, a file of this machine serves. */
  limits?(authType: AuthType): LimitStore;
  close?(): Promise<void>;
}

/** Keeps what Podio last said of an identity's rate budget. */
export interface LimitStore {
  /** The last figure, however old; undefined where there is none. */
  last(): Promise<RateLimit | undefined>;
  /** Keeps a figure, or does not: never throws. */
  keep(seen: RateLimit): Promise<void>;
}

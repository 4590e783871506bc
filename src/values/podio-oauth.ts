/** Whose token it is: `{type: 'app', id: APP_ID}` or `{type: 'user', id: USER_ID}`. */
export interface PodioRef {
  readonly type: string;
  readonly id: number;
}

/** The tokens of one session as Podio issued them, and when. */
export interface PodioOAuth {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly scope: string;
  readonly ref: PodioRef | undefined;
  /** Seconds, as issued. */
  readonly expiresIn: number;
  /** Epoch milliseconds; a duration alone is worth nothing once stored. */
  readonly obtainedAt: number;
  /** The secret of the API key that got the session: what a later process needs to renew it. */
  readonly clientSecret?: string | undefined;
  /** Kept only where the user asked for it: logs in again when the refresh token has died. */
  readonly appToken?: string | undefined;
}

/** No session: what a manager answers where it has none, and what makes it forget. */
export const EMPTY_OAUTH: PodioOAuth = Object.freeze({
  accessToken: '',
  refreshToken: '',
  scope: '',
  ref: undefined,
  expiresIn: 0,
  obtainedAt: 0,
});

/** Whether there is a session in it at all, expired or not. */
export function isEmpty(oauth: PodioOAuth): boolean {
  return oauth.accessToken === '' && oauth.refreshToken === '';
}

/** When the access token ends, in epoch milliseconds. */
export function expiresAt(oauth: PodioOAuth): number {
  return oauth.obtainedAt + oauth.expiresIn * 1000;
}

/** When the refresh token ends, in epoch milliseconds: 28 days after it was issued (developers.podio.com/authentication). */
export function refreshEndsAt(oauth: PodioOAuth): number {
  return oauth.obtainedAt + 28 * 24 * 60 * 60 * 1000;
}

/**
 * Whether a session can still be used: its access token holds, or its refresh token can bring another. One whose
 * time of issue nobody kept is taken to.
 */
export function isUsable(oauth: PodioOAuth, now: number): boolean {
  if (isEmpty(oauth)) return false;
  const isAgeUnknown = oauth.obtainedAt <= 0 || oauth.expiresIn <= 0;
  const canRenew = oauth.refreshToken !== '' && refreshEndsAt(oauth) > now;
  return isAgeUnknown || expiresAt(oauth) > now || canRenew;
}

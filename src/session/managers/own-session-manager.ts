import type { PodioOAuth } from '../../values/podio-oauth.ts';
import type { AuthType, Release } from '../../values/session-manager.ts';
import type { ManagerOptions } from './index.ts';

/**
 * A session manager as anybody may write it: `get` and `set` are enough, and may answer at once or later. What they
 * promise is what `SessionManager` promises; what they answer is looked at before it is believed.
 */
export interface OwnSessionManager {
  /** The API whose sessions it keeps, where those of one only. */
  readonly apiUrl?: string;
  /** A PodioOAuth, or the same with names as in Podio's JSON; `undefined`, `null` or `{}` where there is none. */
  get(authType: AuthType): unknown;
  set(oauth: PodioOAuth, authType: AuthType): unknown;
  list?(): Iterable<AuthType> | Promise<Iterable<AuthType>>;
  lock?(authType: AuthType): Release | Promise<Release>;
  reserve?(authType: AuthType): Release | Promise<Release>;
  place?(authType: AuthType): string;
  close?(): unknown;
}

/** A class of such managers; the client makes one. */
export type SessionManagerClass = new (options: ManagerOptions) => OwnSessionManager;

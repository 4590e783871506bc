import { StoreError } from '../errors.ts';
import { EMPTY_OAUTH, isEmpty, type PodioOAuth } from '../values/podio-oauth.ts';
import type { AuthType, SessionManager } from '../values/session-manager.ts';
import { Session } from './session.ts';

/** A session on its way from one manager to another. */
export interface Move {
  readonly authType: AuthType;
  readonly from: SessionManager;
  readonly to: SessionManager;
  /** Tells whoever looks for the session that it now lies in `to`. */
  readonly announce: () => Promise<void>;
}

/**
 * Moves a session under the locks of both managers: written there, read back, announced, and only then forgotten here.
 * @throws {StoreError} where any of that failed; the session is then still in `from`.
 */
export async function moveSession({ authType, from, to, announce }: Move): Promise<void> {
  await new Session({ manager: from, authType }).update(async (read) => {
    const oauth = await read();
    if (isEmpty(oauth)) throw new StoreError('there is no session to move', { hint: 'log in: podio login' });
    await putInto(to, authType, oauth);
    await announce();
    await from.set(EMPTY_OAUTH, authType);
    // Two names can mean one store: what was forgotten there is then what was moved.
    if (isEmpty(await to.get(authType))) await to.set(oauth, authType);
    return EMPTY_OAUTH;
  });
}

async function putInto(manager: SessionManager, authType: AuthType, oauth: PodioOAuth): Promise<void> {
  const session = new Session({ manager, authType });
  await session.update(async () => async () => oauth);
  if (isSame(await session.current(), oauth)) return;
  throw new StoreError(`what was read back from ${session.place} is not what was written`, {
    hint: 'the session is where it was; see podio doctor',
  });
}

function isSame(a: PodioOAuth, b: PodioOAuth): boolean {
  const secrets = ({ accessToken, refreshToken, clientSecret, appToken }: PodioOAuth) =>
    JSON.stringify([accessToken, refreshToken, clientSecret, appToken]);
  return secrets(a) === secrets(b);
}

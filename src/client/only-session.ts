import { NotLoggedInError, UsageError } from '../errors.ts';
import { Session } from '../session/session.ts';
import { formatAuthType } from '../values/identity.ts';
import type { SessionManager } from '../values/session-manager.ts';

/**
 * The session that is meant where nobody says whose: the only one there is. Undefined where there is none, or where
 * the manager cannot tell which it has.
 * @throws {UsageError} where there are several.
 */
export async function onlySession(manager: SessionManager): Promise<Session | undefined> {
  const [authType, ...more] = (await manager.list?.()) ?? [];
  if (authType === undefined) return undefined;
  if (more.length === 0) return new Session({ manager, authType });
  const names = [authType, ...more].map(formatAuthType).join(', ');
  throw new UsageError(`there are several sessions: ${names}`, { hint: SAY_WHOSE });
}

/** The error where no session is meant. */
export function nobody(): NotLoggedInError {
  return new NotLoggedInError('not logged in', { hint: `authenticate first; or ${SAY_WHOSE}` });
}

const SAY_WHOSE = 'say whose session to use: new PodioClient({ authType: { type, identifier }, … })';

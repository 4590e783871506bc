import { formatAuthType } from '../values/identity.ts';
import type { AuthType, SessionManager } from '../values/session-manager.ts';

type Queue = <T>(work: () => Promise<T>) => Promise<T>;

const queues = new WeakMap<SessionManager, Map<string, Queue>>();

/** The line in which all writers of one session stand, as far as they are in this process. */
export function queueFor(manager: SessionManager, authType: AuthType): Queue {
  const ofManager = queues.get(manager) ?? new Map<string, Queue>();
  queues.set(manager, ofManager);
  const name = formatAuthType(authType);
  const queue = ofManager.get(name) ?? newQueue();
  ofManager.set(name, queue);
  return queue;
}

function newQueue(): Queue {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

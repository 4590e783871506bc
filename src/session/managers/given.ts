import { Failure, StoreError, UsageError } from '../../errors.ts';
import { kindOf } from '../../values/answered-oauth.ts';
import { apiOrigin } from '../../values/origin.ts';
import type { SessionManager } from '../../values/session-manager.ts';
import { CheckedManager } from './checked.ts';
import { isManagerName, type ManagerOptions, noSuchManager, openSessionManager } from './index.ts';
import { LateManager } from './late.ts';
import { MemorySessionManager } from './memory.ts';
import type { OwnSessionManager, SessionManagerClass } from './own-session-manager.ts';
import { withoutTokens } from './without-tokens.ts';

/** Ways to say which session manager is meant: a name or URL, a class that the client makes, or an instance. */
export type GivenManager = string | SessionManagerClass | OwnSessionManager;

/** A manager, ready for use, and whether whoever asked for it is to close it. */
export interface ReadyManager {
  readonly manager: SessionManager;
  readonly isOurs: boolean;
}

/**
 * The manager that a program means. An instance stays the program's; everything else was made for it here.
 * @throws {UsageError} where it is no session manager, saying what it lacks; or where it serves another API already.
 */
export function readyManager(given: unknown, options: ManagerOptions): ReadyManager {
  if (given === undefined) return { manager: new MemorySessionManager(), isOurs: true };
  if (typeof given === 'string') return { manager: named(given, options), isOurs: true };
  if (typeof given === 'function') return { manager: checked(constructed(given, options)), isOurs: true };
  const manager = checked(given);
  keepToApi(given, options.apiUrl);
  return { manager, isOurs: false };
}

/** An instance made by a class that is somebody else's. @throws {UsageError} @throws {StoreError} where it cannot be made. */
export function constructed(made: unknown, options: ManagerOptions): unknown {
  const { name, prototype } = made as SessionManagerClass;
  if (prototype === undefined) {
    throw new UsageError('the session manager is a function, and no class', {
      hint: 'give a class with the methods get and set, or an instance of one',
    });
  }
  try {
    return Reflect.construct(made as SessionManagerClass, [options]);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new StoreError(`the session manager ${name} could not be made: ${withoutTokens(error)}`);
  }
}

/** Makes sure that something is a session manager. `what` names it. @throws {UsageError} saying what it lacks. */
export function checkManager(
  value: unknown,
  what = 'the session manager',
): asserts value is OwnSessionManager {
  const fields: Record<string, unknown> = Object(value);
  const missing = ['get', 'set'].filter((name) => typeof fields[name] !== 'function');
  if (missing.length === 0) return;
  if (typeof fields.then === 'function') {
    throw new UsageError(`${what} is a promise`, { hint: 'await it first' });
  }
  const lacks =
    typeof value === 'object' && value !== null ? `has no ${missing.join(' and no ')}` : kindOf(value);
  throw new UsageError(`${what} ${lacks.startsWith('has') ? lacks : `is ${lacks}`}`, {
    hint: 'it must be a name, a class, or an object with the methods get(authType) and set(oauth, authType)',
  });
}

// One instance, one guard: those who use it together must stand in one line.
const guards = new WeakMap<OwnSessionManager, CheckedManager>();

function checked(manager: unknown): SessionManager {
  checkManager(manager);
  if (manager instanceof CheckedManager || manager instanceof LateManager) return manager;
  const guard = guards.get(manager) ?? new CheckedManager({ manager });
  guards.set(manager, guard);
  return guard;
}

function named(name: string, options: ManagerOptions): SessionManager {
  if (name === 'auto') {
    throw new UsageError('"auto" is for the command line, which remembers what it came to', {
      hint: 'say "keychain" or "file"',
    });
  }
  if (!isManagerName(name)) throw noSuchManager(name);
  // Of a URL the scheme alone: the rest may hold a password.
  return new LateManager({ name: name.replace(/:.*/s, ''), open: () => openSessionManager(name, options) });
}

const apis = new WeakMap<object, string>();

// Else a token would go to an API that did not issue it.
function keepToApi(manager: OwnSessionManager | unknown, ours: string): void {
  const { apiUrl } = manager as OwnSessionManager;
  const theirs = apiUrl === undefined ? (apis.get(Object(manager)) ?? ours) : apiOrigin(apiUrl);
  if (theirs !== ours) {
    throw new UsageError(`the session manager keeps sessions of ${theirs}, and the client calls ${ours}`, {
      hint: 'give both the same apiUrl, or each API a manager of its own',
    });
  }
  apis.set(Object(manager), ours);
}

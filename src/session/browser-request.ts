import { StoreError, UsageError } from '../errors.ts';

/** Tells that it is done, or why it is not. */
type Done = (error?: unknown) => void;

/** A browser's session as express-session makes it: what is set on it is kept, once it has been saved. */
export interface BrowserSession {
  save(done: Done): unknown;
  /** Begins anew under another id, without what was set on it. */
  regenerate(done: Done): unknown;
}

/** A request of a browser, as express-session leaves it: a Request of Express, for one. */
export interface BrowserRequest {
  readonly sessionID: string;
  readonly session: BrowserSession;
  readonly sessionStore: {
    get(id: string, done: (error: unknown, stored?: object | null) => void): unknown;
  };
}

const LONGEST_WAIT_MS = 10_000;

/** @throws {UsageError} where the request has no session that is kept on the server. */
export function checkRequest({ session, sessionStore }: Partial<BrowserRequest>): void {
  const isKept = typeof session?.save === 'function' && typeof session.regenerate === 'function';
  if (isKept && typeof sessionStore?.get === 'function') return;
  throw new UsageError('the request has no session that is kept on the server', {
    hint: 'use express-session before it; a session that lies in the cookie would give the tokens to the browser',
  });
}

/** The session in force: another object once its id has changed. @throws {StoreError} where there is none any more. */
export function sessionOf({ session }: Partial<BrowserRequest>): BrowserSession {
  if (session !== undefined && session !== null) return session;
  throw new StoreError("the browser's session has ended, or its store cannot be reached");
}

/** The value of that name in the session as it lies in the store now. @throws {StoreError} */
export async function readStored(
  { sessionID, sessionStore }: BrowserRequest,
  name: string,
): Promise<unknown> {
  const stored = await answered('read', (done) => sessionStore.get(sessionID, done));
  return typeof stored === 'object' && stored !== null ? Reflect.get(stored, name) : undefined;
}

/** Stores the session as the request has it. @throws {StoreError} */
export async function saveSession(request: BrowserRequest): Promise<void> {
  await answered('saved', (done) => sessionOf(request).save(done));
}

/** Gives the session another id; what was set on it stays. @throws {StoreError} */
export async function changeSessionId(request: BrowserRequest): Promise<void> {
  const { cookie, ...kept } = Object.fromEntries(Object.entries(sessionOf(request)));
  await answered('saved', (done) => sessionOf(request).regenerate(done));
  Object.assign(sessionOf(request), kept);
}

// The store's own error is not passed on: with some it holds what was to be stored.
function answered(
  what: string,
  ask: (done: (error?: unknown, value?: unknown) => void) => unknown,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) =>
      reject(new StoreError(`the browser's session could not be ${what} (${why})`));
    const tooLong = setTimeout(() => fail('its store does not answer'), LONGEST_WAIT_MS);
    const done = (error?: unknown, value?: unknown) => {
      clearTimeout(tooLong);
      if (error) fail(nameOf(error));
      else resolve(value);
    };
    try {
      ask(done);
    } catch (error) {
      done(error);
    }
  });
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown trouble';
  return 'code' in error ? String(error.code) : error.name;
}

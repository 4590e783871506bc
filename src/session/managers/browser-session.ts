import { type Identity, identityKey } from '../../values/identity.ts';
import { apiOrigin, PODIO_API } from '../../values/origin.ts';
import { EMPTY_OAUTH, isEmpty, type PodioOAuth } from '../../values/podio-oauth.ts';
import { DamagedRecordError, decodeRecord, encodeRecord, recordIdentity } from '../../values/record.ts';
import type { AuthType, Release, SessionManager } from '../../values/session-manager.ts';
import {
  type BrowserRequest,
  changeSessionId,
  checkRequest,
  readStored,
  saveSession,
  sessionOf,
} from '../browser-request.ts';
import { Successors } from '../successors.ts';
import { takeTurn } from '../turns.ts';

/** Which browser it is, and which API and API key. */
export interface BrowserSessionManagerOptions {
  readonly request: BrowserRequest;
  readonly clientId: string;
  /** Default: `https://api.podio.com`. */
  readonly apiUrl?: string | undefined;
}

/** What is set on the browser's session: records by the keys of their identities, the newest login first. */
type Records = Readonly<Record<string, unknown>>;

const FIELD = 'podio';

// Shared by all requests of this process.
const successors = new Successors();

/**
 * Keeps a session of Podio in the session of a browser, on the server; the browser's cookie holds that one's id alone.
 * One manager serves one request.
 *
 * Of the requests of one browser that this process serves at the same time, one renews the session for all. But
 * express-session stores a session whole, as each request found it. Where a request stores old tokens over new ones,
 * the process that brought the new ones knows better and puts them back; another process does not.
 */
export class BrowserSessionManager implements SessionManager {
  readonly apiUrl: string;
  readonly #request: BrowserRequest;
  readonly #clientId: string;
  readonly #held = new Set<string>();

  /** @throws {UsageError} where the request has no session that is kept on the server. */
  constructor({ request, clientId, apiUrl = PODIO_API }: BrowserSessionManagerOptions) {
    checkRequest(request);
    this.apiUrl = apiOrigin(apiUrl);
    this.#request = request;
    this.#clientId = clientId;
  }

  /** As the request found it; under the lock, as it lies in the store now. @throws {StoreError} */
  async get(authType: AuthType): Promise<PodioOAuth> {
    const identity = this.#identity(authType);
    // Not by the session's own reload: that drops what the request has set on it and not saved yet.
    if (this.#held.has(identityKey(identity))) this.#records = await readStored(this.#request, FIELD);
    const found = readRecord(this.#records, identity);
    const newest = successors.newest(this.#name(identity), found);
    if (newest !== found) this.#put(identity, newest);
    return newest;
  }

  /**
   * Saves it with the browser's session. A login gives that another id, so that whoever knew the old one (session
   * fixation) has nothing of it; it has to come before the answer to the browser begins.
   * @throws {StoreError}
   */
  async set(oauth: PodioOAuth, authType: AuthType): Promise<void> {
    // Two logins at the same time would each change the id that the other goes by.
    const leave = await takeTurn(this.#request);
    await this.#store(oauth, this.#identity(authType)).finally(leave);
  }

  async #store(oauth: PodioOAuth, identity: Identity): Promise<void> {
    const before = this.#before(identity);
    if (isEmpty(before) && !isEmpty(oauth)) await changeSessionId(this.#request);
    const remember = () => successors.add(this.#name(identity), before, oauth);
    this.#put(identity, oauth);
    // Old tokens are spent, whether or not the new ones can be saved; a logout is none until it is saved.
    if (!isEmpty(oauth)) remember();
    await saveSession(this.#request);
    if (isEmpty(oauth)) remember();
  }

  /** Who is logged in in this browser, the newest login first. @throws {StoreError} */
  async list(): Promise<AuthType[]> {
    const kept: AuthType[] = [];
    for (const record of Object.values(this.#records)) {
      const known = recordIdentity(JSON.stringify(record));
      if (known?.apiUrl !== this.apiUrl || known.clientId !== this.#clientId) continue;
      const { type, identifier } = known;
      if (!isEmpty(await this.get(known))) kept.push({ type, identifier });
    }
    return kept;
  }

  async lock(authType: AuthType): Promise<Release> {
    const identity = this.#identity(authType);
    const key = identityKey(identity);
    const leave = await takeTurn(this.#name(identity));
    this.#held.add(key);
    return () => {
      if (this.#held.delete(key)) leave();
    };
  }

  /** Saves the session as it is: a store that does not take that would not take new tokens. @throws {StoreError} */
  async reserve(): Promise<Release> {
    await saveSession(this.#request);
    return () => {};
  }

  place(): string {
    return "the browser's session";
  }

  get #records(): Records {
    const records: unknown = Reflect.get(sessionOf(this.#request), FIELD);
    return typeof records === 'object' && records !== null ? { ...records } : {};
  }

  set #records(records: unknown) {
    Reflect.set(sessionOf(this.#request), FIELD, records);
  }

  #identity({ type, identifier }: AuthType): Identity {
    return { apiUrl: this.apiUrl, clientId: this.#clientId, type, identifier };
  }

  #name(identity: Identity): string {
    return JSON.stringify([this.#request.sessionID, identityKey(identity)]);
  }

  #put(identity: Identity, oauth: PodioOAuth): void {
    const key = identityKey(identity);
    const { [key]: before, ...others } = this.#records;
    const record: unknown = isEmpty(oauth) ? undefined : JSON.parse(encodeRecord(oauth, identity));
    if (record === undefined) this.#records = others;
    else
      this.#records =
        before === undefined ? { [key]: record, ...others } : { ...this.#records, [key]: record };
  }

  // Damaged or not, it is about to be replaced.
  #before(identity: Identity): PodioOAuth {
    try {
      return successors.newest(this.#name(identity), readRecord(this.#records, identity));
    } catch (error) {
      if (error instanceof DamagedRecordError) return EMPTY_OAUTH;
      throw error;
    }
  }
}

function readRecord(records: Records, identity: Identity): PodioOAuth {
  const key = identityKey(identity);
  return Object.hasOwn(records, key) ? decodeRecord(JSON.stringify(records[key]), identity) : EMPTY_OAUTH;
}

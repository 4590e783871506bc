import { Failure, StoreError } from '../../errors.ts';
import { answeredOAuth, kindOf } from '../../values/answered-oauth.ts';
import { authType } from '../../values/identity.ts';
import type { PodioOAuth } from '../../values/podio-oauth.ts';
import {
  AUTH_TYPES,
  type AuthType,
  type Release,
  type SessionManager,
} from '../../values/session-manager.ts';
import type { OwnSessionManager } from './own-session-manager.ts';
import { within } from './within.ts';
import { withoutTokens } from './without-tokens.ts';

/** A manager that somebody else wrote. */
export interface CheckedManagerOptions {
  readonly manager: OwnSessionManager;
  /** What to call it in messages: a file, a class. */
  readonly name?: string | undefined;
  /** Shuts out other processes where the manager has no `lock` of its own. */
  readonly lock?: ((authType: AuthType) => Promise<Release>) | undefined;
  /** Milliseconds until an answer is given up; 20,000 unless told, three times as long for a lock. */
  readonly limitMs?: number | undefined;
}

type Method = 'get' | 'set' | 'list' | 'lock' | 'reserve' | 'close';

/**
 * Stands before a manager that somebody else wrote, and keeps what it promises: it answers a PodioOAuth or throws a
 * StoreError, in bounded time, and no error of it tells a token.
 */
export class CheckedManager implements SessionManager {
  readonly apiUrl?: string;
  readonly list?: () => Promise<AuthType[]>;
  readonly lock?: (authType: AuthType) => Promise<Release>;
  readonly reserve?: (authType: AuthType) => Promise<Release>;
  readonly #manager: OwnSessionManager;
  readonly #name: string;
  readonly #limitMs: number;

  constructor({ manager, name, lock, limitMs = 20_000 }: CheckedManagerOptions) {
    this.#manager = manager;
    this.#name = name ?? `the session manager${nameOfClass(manager)}`;
    this.#limitMs = limitMs;
    if (typeof manager.apiUrl === 'string') this.apiUrl = manager.apiUrl;
    if (manager.list) this.list = async () => this.#authTypes(await this.#ask('list', []));
    if (manager.lock) this.lock = (of) => this.#take('lock', of, limitMs * 3);
    else if (lock) this.lock = lock;
    if (manager.reserve) this.reserve = (of) => this.#take('reserve', of, limitMs);
  }

  async get(of: AuthType): Promise<PodioOAuth> {
    const answer = await this.#ask('get', [of]);
    try {
      return answeredOAuth(answer);
    } catch (error) {
      throw error instanceof StoreError
        ? new StoreError(`${this.#name}: ${error.message}`, { hint: error.hint })
        : error;
    }
  }

  async set(oauth: PodioOAuth, of: AuthType): Promise<void> {
    // A copy of its own, without what is undefined: TOML, SQL and others have no word for that.
    const given = Object.fromEntries(Object.entries(oauth).filter(([, value]) => value !== undefined));
    await this.#ask('set', [given, of]);
  }

  place(of: AuthType): string {
    try {
      return String(this.#manager.place?.(of) ?? this.#name);
    } catch {
      return this.#name;
    }
  }

  async close(): Promise<void> {
    if (this.#manager.close) await this.#ask('close', []);
  }

  async #take(method: 'lock' | 'reserve', of: AuthType, limitMs: number): Promise<Release> {
    const taken = await this.#ask(method, [of], limitMs);
    if (typeof taken === 'function') return () => this.#bounded(method, async () => void (await taken()));
    throw this.#broken(`${method} answered ${kindOf(taken)}, and no function that gives it back`);
  }

  #authTypes(answer: unknown): AuthType[] {
    const isList = typeof answer === 'object' && answer !== null && Symbol.iterator in answer;
    if (!isList) throw this.#broken(`list answered ${kindOf(answer)}, and no array of auth types`);
    return Array.from(answer as Iterable<unknown>, (entry) => this.#authType(entry));
  }

  #authType(entry: unknown): AuthType {
    const { type, identifier }: Record<string, unknown> = { ...Object(entry) };
    const known = AUTH_TYPES.find((name) => name === type);
    if (known && typeof identifier === 'string') return authType(known, identifier);
    throw this.#broken('list answered something that is no auth type ({ type, identifier })');
  }

  #ask(method: Method, args: readonly unknown[], limitMs = this.#limitMs): Promise<unknown> {
    const work: unknown = Reflect.get(this.#manager, method);
    if (typeof work !== 'function') throw this.#broken(`it has lost its ${method}`);
    return this.#bounded(method, async () => Reflect.apply(work, this.#manager, args), limitMs, args[0]);
  }

  async #bounded<T>(method: Method, work: () => Promise<T>, limitMs = this.#limitMs, secrets?: unknown) {
    const answer = work();
    const late = () => this.#broken(`${method} did not end within ${limitMs / 1000} s`);
    try {
      return await within(limitMs, late, () => answer);
    } catch (error) {
      if (method === 'lock') void answer.then(giveBack, () => undefined);
      throw error instanceof Failure
        ? error
        : this.#broken(`${method} failed: ${withoutTokens(error, secrets)}`);
    }
  }

  #broken(what: string): StoreError {
    return new StoreError(`${this.#name}: ${what}`, {
      hint: 'mend it, and prove it with sessionManagerContract of podio-cli/testing; nothing was changed by podio itself',
    });
  }
}

// A lock that comes when nobody waits for it any more must not stay.
function giveBack(release: unknown): void {
  if (typeof release === 'function') void Promise.resolve(release()).catch(() => undefined);
}

function nameOfClass(manager: object): string {
  const name = manager.constructor?.name;
  return name && name !== 'Object' ? ` ${name}` : '';
}

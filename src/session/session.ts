import { EMPTY_OAUTH, type PodioOAuth } from '../values/podio-oauth.ts';
import type { AuthType, IsMoot, Release, SessionManager } from '../values/session-manager.ts';
import { queueFor } from './queue.ts';

/** Brings a new session: what an exchange with the token endpoint answers. */
export type Bring = () => Promise<PodioOAuth>;

/**
 * Looks at what is stored now and decides: a PodioOAuth is kept as it lies there, a function brings the one to store.
 * `read` reads anew each time.
 */
export type Change = (read: () => Promise<PodioOAuth>) => Promise<PodioOAuth | Bring>;

/** Whether a stored session makes a new one needless. */
export type IsEnough = (stored: PodioOAuth) => boolean;

/** The session of one auth type in one manager: read by anybody at any time, written by one at a time. */
export class Session {
  readonly authType: AuthType;
  readonly #manager: SessionManager;

  constructor({ manager, authType }: { manager: SessionManager; authType: AuthType }) {
    this.#manager = manager;
    this.authType = authType;
  }

  /** What is stored; the empty PodioOAuth where nothing is. Takes no lock. @throws {StoreError} */
  current(): Promise<PodioOAuth> {
    return this.#manager.get(this.authType);
  }

  /**
   * The one road to a new session: lock, read again, change, write, release. A place for the new session is
   * reserved before it is brought, because a refresh token that is spent and not replaced is a session lost.
   * A stored session that `isEnough` ends the wait for the lock: hundreds need not stand in line to read one answer.
   * @throws {StoreError} where it cannot be stored; nothing was brought then, or the error says where it is.
   */
  async update(change: Change, isEnough?: IsEnough): Promise<PodioOAuth> {
    let found: PodioOAuth | undefined;
    const look = async () => {
      const stored = await this.current();
      if (isEnough?.(stored)) found = stored;
      return found !== undefined;
    };
    return this.#alone(async () => found ?? this.#change(change), isEnough && look);
  }

  /** Forgets the session. @throws {StoreError} where that could not be made sure of. */
  async forget(): Promise<void> {
    await this.#alone(() => this.#manager.set(EMPTY_OAUTH, this.authType));
  }

  /** Where the session is kept, in words for people. */
  get place(): string {
    return this.#manager.place?.(this.authType) ?? 'the session manager';
  }

  async #change(change: Change): Promise<PodioOAuth> {
    const decided = await change(() => this.current());
    return typeof decided === 'function' ? this.#store(decided) : decided;
  }

  async #store(bring: Bring): Promise<PodioOAuth> {
    const giveBack = await this.#manager.reserve?.(this.authType);
    try {
      const brought = await bring();
      await this.#manager.set(brought, this.authType);
      return brought;
    } finally {
      await giveBack?.();
    }
  }

  // The process's own callers queue first: one lock file cannot be held twice, and polling it costs more than waiting.
  async #alone<T>(work: () => Promise<T>, isMoot?: IsMoot): Promise<T> {
    return queueFor(
      this.#manager,
      this.authType,
    )(async () => {
      const release: Release | undefined = await this.#manager.lock?.(this.authType, isMoot);
      try {
        return await work();
      } finally {
        await release?.();
      }
    });
  }
}

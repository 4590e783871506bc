import type { PodioOAuth } from '../../values/podio-oauth.ts';
import type { AuthType, IsMoot, Release, SessionManager } from '../../values/session-manager.ts';

/** A manager that is opened when it is first asked for something: to name one costs nothing. */
export class LateManager implements SessionManager {
  readonly #name: string;
  readonly #open: () => Promise<SessionManager>;
  #opening: Promise<SessionManager> | undefined;
  #opened: SessionManager | undefined;

  constructor({ name, open }: { name: string; open: () => Promise<SessionManager> }) {
    this.#name = name;
    this.#open = open;
  }

  async get(authType: AuthType): Promise<PodioOAuth> {
    return (await this.#manager()).get(authType);
  }

  async set(oauth: PodioOAuth, authType: AuthType): Promise<void> {
    await (await this.#manager()).set(oauth, authType);
  }

  async list(): Promise<AuthType[]> {
    return (await (await this.#manager()).list?.()) ?? [];
  }

  async lock(authType: AuthType, isMoot?: IsMoot): Promise<Release> {
    return (await (await this.#manager()).lock?.(authType, isMoot)) ?? (() => undefined);
  }

  async reserve(authType: AuthType): Promise<Release> {
    return (await (await this.#manager()).reserve?.(authType)) ?? (() => undefined);
  }

  place(authType: AuthType): string {
    return this.#opened?.place?.(authType) ?? `the session manager ${this.#name}`;
  }

  /** Closes what was opened; asked for something again, it opens anew. */
  async close(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    await (await opening)?.close?.();
  }

  #manager(): Promise<SessionManager> {
    this.#opening ??= this.#openNow();
    return this.#opening;
  }

  async #openNow(): Promise<SessionManager> {
    this.#opened = await this.#open();
    return this.#opened;
  }
}

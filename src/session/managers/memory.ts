import { formatAuthType } from '../../values/identity.ts';
import { EMPTY_OAUTH, isEmpty, type PodioOAuth } from '../../values/podio-oauth.ts';
import type { AuthType, SessionManager } from '../../values/session-manager.ts';

/** Keeps sessions for as long as the process lives. */
export class MemorySessionManager implements SessionManager {
  readonly #sessions = new Map<string, { authType: AuthType; oauth: PodioOAuth }>();

  async get(authType: AuthType): Promise<PodioOAuth> {
    return this.#sessions.get(formatAuthType(authType))?.oauth ?? EMPTY_OAUTH;
  }

  async set(oauth: PodioOAuth, authType: AuthType): Promise<void> {
    if (isEmpty(oauth)) this.#sessions.delete(formatAuthType(authType));
    else this.#sessions.set(formatAuthType(authType), { authType, oauth });
  }

  async list(): Promise<AuthType[]> {
    return [...this.#sessions.values()].map(({ authType }) => authType);
  }

  place(): string {
    return "this process's memory";
  }
}

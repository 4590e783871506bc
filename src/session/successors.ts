import type { PodioOAuth } from '../values/podio-oauth.ts';

// The browsers of a busy day; whoever is forgotten here is no worse off than after a restart.
const MOST = 10_000;

/** Which session has taken the place of which, as far as this process brought it about. */
export class Successors {
  readonly #successors = new Map<string, PodioOAuth>();

  /** Remembers, for the session of that name, what took the place of what. */
  add(name: string, old: PodioOAuth, successor: PodioOAuth): void {
    this.#successors.delete(keyOf(name, successor));
    if (old.accessToken === '' || old.accessToken === successor.accessToken) return;
    this.#successors.set(keyOf(name, old), successor);
    const [oldest] = this.#successors.keys();
    if (this.#successors.size > MOST && oldest !== undefined) this.#successors.delete(oldest);
  }

  /** The last of those that took its place, one after the other; itself where none did. */
  newest(name: string, oauth: PodioOAuth): PodioOAuth {
    let newest = oauth;
    for (
      let next: PodioOAuth | undefined = newest;
      next !== undefined;
      next = this.#successors.get(keyOf(name, newest))
    ) {
      newest = next;
    }
    return newest;
  }
}

function keyOf(name: string, { accessToken }: PodioOAuth): string {
  return `${name} ${accessToken}`;
}

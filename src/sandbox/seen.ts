import type { IncomingHttpHeaders } from 'node:http';
import { matches, type SeenMatch } from './request-match.ts';

/** A request that the sandbox saw, in the order of arrival. */
export interface SeenRequest {
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  /** As sent, without the question mark. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** The body as text, the first 64 KiB of it. */
  readonly body: string;
  /** What a token request asked for; undefined for all other requests. */
  readonly grantType: string | undefined;
  /** The status answered; undefined while there is none, and for good where the socket was cut before one. */
  readonly status: number | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** A seen request while it is being answered. */
export type OpenSeenRequest = { -readonly [Key in keyof SeenRequest]: SeenRequest[Key] };

interface Watcher {
  readonly match: SeenMatch;
  readonly count: number;
  readonly reached: () => void;
}

/** The list of what was seen, and those who wait for it to grow. */
export class Seen {
  #requests: OpenSeenRequest[] = [];
  #watchers: readonly Watcher[] = [];

  get requests(): readonly SeenRequest[] {
    return this.#requests;
  }

  add(request: OpenSeenRequest): void {
    this.#requests.push(request);
    this.#tellWatchers();
  }

  /** Notes the status of a request; a request that was cleared meanwhile stays forgotten. */
  answered(request: OpenSeenRequest, status: number): void {
    request.status = status;
    this.#tellWatchers();
  }

  count(match: SeenMatch): number {
    return this.#requests.filter((request) => matches(match, request)).length;
  }

  /** Resolves as soon as `count` requests fit; counts those already seen. */
  when(match: SeenMatch, count: number): Promise<void> {
    return new Promise((reached) => {
      this.#watchers = [...this.#watchers, { match, count, reached }];
      this.#tellWatchers();
    });
  }

  clear(): void {
    this.#requests = [];
  }

  #tellWatchers(): void {
    const isReached = ({ match, count }: Watcher): boolean => this.count(match) >= count;
    const [due, waiting] = [this.#watchers.filter(isReached), this.#watchers.filter((w) => !isReached(w))];
    this.#watchers = waiting;
    for (const { reached } of due) reached();
  }
}

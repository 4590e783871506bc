import { type Matchable, matches, type RequestMatch } from './request-match.ts';

interface Watcher {
  readonly count: number;
  readonly reached: () => void;
}

/** A barrier: requests that fit wait before it until it opens; from then on all pass. */
export class Hold {
  readonly match: RequestMatch;
  #isOpen = false;
  #waiting: readonly (() => void)[] = [];
  #watchers: readonly Watcher[] = [];

  constructor(match: RequestMatch) {
    this.match = match;
  }

  /** How many requests stand before the barrier now. */
  get waiting(): number {
    return this.#waiting.length;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Lets all requests pass that wait, and all that come. */
  release(): void {
    this.#isOpen = true;
    for (const goOn of this.#waiting) goOn();
    this.#waiting = [];
  }

  /** Resolves as soon as `count` requests wait at the same time. */
  arrived(count = 1): Promise<void> {
    return new Promise((reached) => {
      this.#watchers = [...this.#watchers, { count, reached }];
      this.#tellWatchers();
    });
  }

  /** Resolves when a request may go on: at once where it is not one of those held. */
  async pass(request: Matchable): Promise<void> {
    if (this.#isOpen || !matches(this.match, request)) return;
    await new Promise<void>((goOn) => {
      this.#waiting = [...this.#waiting, goOn];
      this.#tellWatchers();
    });
  }

  #tellWatchers(): void {
    for (const { count, reached } of this.#watchers) if (this.waiting >= count) reached();
  }
}

/** All barriers of a sandbox. */
export class Holds {
  #holds: readonly Hold[] = [];

  get list(): readonly Hold[] {
    return this.#holds;
  }

  add(match: RequestMatch): Hold {
    const hold = new Hold(match);
    this.#holds = [...this.#holds, hold];
    return hold;
  }

  /** Opens every barrier and forgets them. */
  releaseAll(): void {
    for (const hold of this.#holds) hold.release();
    this.#holds = [];
  }

  /** Resolves when no barrier is left before a request. */
  async pass(request: Matchable): Promise<void> {
    for (const hold of this.#holds) await hold.pass(request);
  }
}

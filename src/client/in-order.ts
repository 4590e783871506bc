/** Hands things on in the order of their numbers, in whichever order they come; holds back no more than so many. */
export class InOrder<T> {
  readonly #handOn: (thing: T) => void;
  readonly #most: number;
  readonly #waiting = new Map<number, T | undefined>();
  #next = 0;
  #wake: (() => void)[] = [];

  constructor({ most, handOn }: { most: number; handOn: (thing: T) => void }) {
    this.#most = most;
    this.#handOn = handOn;
  }

  /** Takes the thing of this number, counted from 0; undefined where there is none, and the next may go on. */
  put(number: number, thing: T | undefined): void {
    this.#waiting.set(number, thing);
    while (this.#waiting.has(this.#next)) this.#pass(this.#next++);
    if (this.#waiting.size < this.#most) this.#wakeAll();
  }

  /** Hands on all that are left, holes or not. */
  flush(): void {
    for (const number of [...this.#waiting.keys()].sort((a, b) => a - b)) this.#pass(number);
  }

  /** Resolves as soon as it would take another one. */
  async room(): Promise<void> {
    while (this.#waiting.size >= this.#most) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  #pass(number: number): void {
    const thing = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (thing !== undefined) this.#handOn(thing);
  }

  #wakeAll(): void {
    const woken = this.#wake;
    this.#wake = [];
    for (const wake of woken) wake();
  }
}

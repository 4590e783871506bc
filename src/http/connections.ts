import type { Agent } from 'node:http';
import { proxyAgent } from './proxy.ts';

/** How many connections to keep open, and until when. */
export interface ConnectionsOptions {
  /** To each origin. */
  readonly most: number;
  /** Ends all requests that are on their way. */
  readonly signal: AbortSignal;
}

type End = (reason: Error) => void;

/** Connections that stay open between requests, for whoever makes many. */
export class Connections implements Disposable {
  readonly #options: ConnectionsOptions;
  readonly #agents = new Map<string, Promise<Agent>>();
  readonly #underWay = new Set<End>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    const { signal } = options;
    signal.addEventListener('abort', () => this.#endAll(signal.reason), { once: true });
  }

  /**
   * Ends a request when the connections are to end, until it is told to `leave`: at a fraction of what a listener of
   * its own costs each. @throws the reason where they have ended already.
   */
  enter(end: End): void {
    this.#options.signal.throwIfAborted();
    this.#underWay.add(end);
  }

  /** The request has ended by itself. */
  leave(end: End): void {
    this.#underWay.delete(end);
  }

  #endAll(reason: Error): void {
    for (const end of this.#underWay) end(reason);
  }

  /** What keeps the connections to one origin, through a proxy where one is named. */
  agent(origin: string): Promise<Agent> {
    const agent = this.#agents.get(origin) ?? this.#newAgent(origin);
    this.#agents.set(origin, agent);
    return agent;
  }

  async #newAgent(origin: string): Promise<Agent> {
    const { most, signal } = this.#options;
    const options = { keepAlive: true, maxSockets: most };
    const proxy = await proxyAgent(origin, signal, options);
    if (proxy !== undefined) return proxy;
    const { Agent } = origin.startsWith('https:') ? await import('node:https') : await import('node:http');
    return new Agent(options);
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) void agent.then((open) => open.destroy());
  }
}

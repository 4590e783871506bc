import type { Agent } from 'node:http';
import { proxyAgent } from './proxy.ts';

/** How many connections to keep open, and until when. */
export interface ConnectionsOptions {
  /** To each origin. */
  readonly most: number;
  /** Ends what is on its way to a proxy. */
  readonly signal: AbortSignal;
}

/** Connections that stay open between requests, for whoever makes many. */
export class Connections implements Disposable {
  readonly #options: ConnectionsOptions;
  readonly #agents = new Map<string, Promise<Agent>>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
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

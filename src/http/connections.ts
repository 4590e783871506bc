import type { Connection, Keeper } from './connection.ts';
import { connectionTo, type RouteOptions } from './route.ts';

/** Connections that stay open between requests, for whoever makes many: as many as there are requests at a time. */
export class Connections implements Disposable, Keeper {
  readonly #signal: AbortSignal | undefined;
  /** What TLS needs to begin where it left off with a server. */
  readonly tickets = new Map<string, Buffer>();
  #isClosed = false;
  readonly #open = new Set<Connection>();
  readonly #free = new Map<string, Connection[]>();
  readonly #origins = new WeakMap<Connection, string>();

  /** `signal` ends them, and all requests that are on their way. Those that are free keep no process alive. */
  constructor(signal?: AbortSignal) {
    this.#signal = signal;
    signal?.addEventListener('abort', () => this.#endAll(signal.reason), { once: true });
  }

  /** A connection to an origin that is free, or a new one. @throws the reason where they have ended already. */
  async to(options: RouteOptions): Promise<Connection> {
    this.#check();
    const free = this.#free.get(options.origin)?.pop();
    if (free !== undefined) return free.isAlive ? free : this.to(options);
    return this.new(options);
  }

  /** A new connection to an origin. @throws the reason where they have ended already. */
  async new(options: RouteOptions): Promise<Connection> {
    const signal = this.#signal;
    this.#check();
    const connection = await connectionTo({ ...options, signal: signal ?? options.signal }, this);
    this.#open.add(connection);
    this.#origins.set(connection, options.origin);
    if (signal?.aborted || this.#isClosed) connection.abort(signal?.reason);
    this.#check();
    return connection;
  }

  #check(): void {
    this.#signal?.throwIfAborted();
    if (this.#isClosed) throw closed();
  }

  onFree(connection: Connection): void {
    const origin = this.#origins.get(connection) ?? '';
    const free = this.#free.get(origin) ?? [];
    free.push(connection);
    this.#free.set(origin, free);
  }

  onClose(connection: Connection): void {
    this.#open.delete(connection);
    const free = this.#free.get(this.#origins.get(connection) ?? '');
    if (free?.includes(connection)) free.splice(free.indexOf(connection), 1);
  }

  /** Closes those that nobody uses. */
  closeFree(): void {
    for (const free of this.#free.values())
      for (const connection of free.splice(0)) connection.abort(closed());
  }

  #endAll(reason: unknown): void {
    for (const connection of this.#open) connection.abort(reason);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#endAll(closed());
  }
}

function closed(): Error {
  return new Error('the connections are closed');
}

import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';

interface Refresh {
  readonly from: number;
  /** Undefined while it goes on, and for good where the client was gone before it was answered. */
  to: number | undefined;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Watches the requests for tokens that reach the sandboxes of this process: whether two of them go on at a time. */
export class Refreshes implements Disposable {
  readonly #all: Refresh[] = [];

  constructor() {
    channel('http.server.request.start').subscribe(this.#note);
  }

  get count(): number {
    return this.#all.length;
  }

  /** How many began while another one went on that was answered later. One whose client was killed counts for none. */
  get meetings(): number {
    const answered = this.#all.filter(({ to }) => to !== undefined);
    return answered.filter(({ from }) => answered.some((one) => one.from < from && from < (one.to ?? 0)))
      .length;
  }

  [Symbol.dispose](): void {
    channel('http.server.request.start').unsubscribe(this.#note);
  }

  readonly #note = (message: unknown): void => {
    const { request, response } = message as Exchange;
    if (request.url !== '/oauth/token') return;
    const refresh: Refresh = { from: performance.now(), to: undefined };
    this.#all.push(refresh);
    response.once('close', () => {
      if (response.writableFinished) refresh.to = performance.now();
    });
  };
}

import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { readWhole } from '../../src/http/decoding.ts';
import { type HttpRequest, send } from '../../src/http/http.ts';
import { RawServer } from './raw-server.ts';

/** An answer that was read to its end; texts in ISO-8859-1, so that no byte is lost. */
export interface Taken {
  readonly status: number;
  readonly statusText: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** Sends a request with podio's own client, and reads the answer to its end. */
export async function take(origin: string, more: Partial<HttpRequest> = {}): Promise<Taken> {
  const response = await send({ method: 'GET', origin, path: '/', timeoutMs: 5000, ...more });
  const { status, statusText, rawHeaders } = response;
  const body = await readWhole(response.body, 1_000_000, () => new Error('the answer is too long'));
  return { status, statusText, rawHeaders, body: body.toString('latin1') };
}

/** Does the same with Node's client. @throws where it refuses the answer, or the answer is not whole. */
export function takeWithNode(origin: string, method: string, path: string): Promise<Taken> {
  return new Promise((resolve, reject) => {
    let trouble = new Error('there is no whole answer');
    let isAnswered = false;
    const asked = request(`${origin}${path}`, { method, agent: false }, (answer) => {
      const { statusCode: status = 0, statusMessage: statusText = '', rawHeaders } = answer;
      const chunks: Buffer[] = [];
      isAnswered = true;
      answer.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => {});
      answer.once('close', () => {
        const body = Buffer.concat(chunks).toString('latin1');
        if (answer.complete) resolve({ status, statusText, rawHeaders, body });
        else reject(trouble);
      });
    });
    asked.on('error', (error) => {
      trouble = error;
    });
    asked.once('close', () => !isAnswered && reject(trouble));
    asked.end();
  });
}

/** Writes pieces, each in a turn of its own, so that they are read one by one; then hangs up where it is told to. */
export function deliver(socket: Socket, pieces: readonly string[], hangUp = false): void {
  const [piece, ...rest] = pieces;
  if (piece === undefined) {
    if (hangUp) socket.end();
    return;
  }
  if (socket.destroyed) return;
  socket.setNoDelay().write(piece, 'latin1');
  setImmediate(deliver, socket, rest, hangUp);
}

/** A server that says one thing to everybody, and then waits, or hangs up. */
export function saying(pieces: readonly string[], hangUp = false): Promise<RawServer> {
  return RawServer.start((socket) => deliver(socket, pieces, hangUp));
}

/** A server that gives the next request the next answer, and what it knows of its connections. */
export class Turns implements AsyncDisposable {
  readonly #answers: string[];
  readonly #sockets: Socket[] = [];
  readonly #arrivals: (() => void)[] = [];
  #server: RawServer | undefined;
  #count = 0;

  private constructor(answers: readonly string[]) {
    this.#answers = [...answers];
  }

  /** An answer of nothing is kept back. */
  static async start(...answers: readonly string[]): Promise<Turns> {
    const turns = new Turns(answers);
    turns.#server = await RawServer.start((socket) => turns.#answer(socket));
    return turns;
  }

  get url(): string {
    return this.#server?.url ?? '';
  }

  /** What came in over each connection. */
  get heard(): readonly string[] {
    return this.#server?.heard ?? [];
  }

  /** The connection of each request. */
  get sockets(): readonly Socket[] {
    return this.#sockets;
  }

  /** Resolves once so many requests have come. */
  async arrived(count: number): Promise<void> {
    while (this.#count < count) await new Promise<void>((resolve) => this.#arrivals.push(resolve));
  }

  #answer(socket: Socket): void {
    this.#count++;
    this.#sockets.push(socket);
    socket.write(this.#answers.shift() ?? '', 'latin1');
    for (const arrival of this.#arrivals.splice(0)) arrival();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }
}

/** Resolves once a connection is closed, by whomever. */
export async function closed(socket: Socket | undefined): Promise<void> {
  if (socket !== undefined && !socket.closed) await once(socket, 'close');
}

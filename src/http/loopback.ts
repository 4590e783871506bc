import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UsageError } from '../errors.ts';
import { PAGE_HEADERS, PAGES, type Page, pageHtml } from './loopback-page.ts';

/** What came back from Podio's authorize page: a code, or Podio's word for why there is none. */
export type AuthorizeAnswer =
  | { readonly code: string }
  | { readonly error: string; readonly description: string };

/** Where the browser comes back to. */
export interface LoopbackOptions {
  /** A name or address that leads to this machine; the browser is sent there. */
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

// Whoever has not said what they want by then wants nothing (slow loris).
const PATIENCE = { headersTimeout: 5_000, requestTimeout: 5_000, connectionsCheckingInterval: 1_000 };
const LONGEST_GOODBYE_MS = 2_000;

/**
 * Waits on 127.0.0.1 for the browser that Podio's authorize page sends back. Any page and any program on this
 * machine can knock here too: what lacks the right host, path or state gets a page, and changes nothing.
 */
export class Loopback {
  /** To be asked for on the authorize page: 256 random bits that come back with the answer. */
  readonly state = randomBytes(32).toString('base64url');
  readonly redirectUri: string;
  /** The first right answer that a browser brings. Never rejects. */
  readonly answer: Promise<AuthorizeAnswer>;
  readonly #server: Server;
  #tell: (answer: AuthorizeAnswer) => void = () => {};
  /** The browser that brought the answer; it waits to be told what became of it. */
  #browser: ServerResponse | undefined;

  private constructor(server: Server, { host }: LoopbackOptions) {
    const { port } = server.address() as AddressInfo;
    // The path is random too, so that no page can even find out that somebody logs in here.
    this.redirectUri = new URL(`http://${host}:${port}/${randomBytes(16).toString('base64url')}`).href;
    this.#server = server;
    this.answer = new Promise((tell) => {
      this.#tell = tell;
    });
    server.on('request', (request, response) => this.#serve(request, response));
  }

  /** @throws {UsageError} where the port cannot be had. */
  static async listen(options: LoopbackOptions): Promise<Loopback> {
    const server = createServer(PATIENCE);
    server.listen(options.port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch (error) {
      throw noPort(options.port, error);
    }
    // Too many open files, say: whoever makes too many connections must not end the login.
    server.on('error', () => {});
    return new Loopback(server, options);
  }

  /** Reads what a person pastes: the whole address that the browser was sent to, or the code alone. */
  read(pasted: string): AuthorizeAnswer | undefined {
    const text = pasted.trim();
    const at = text.indexOf('?');
    if (at >= 0) return this.#read(text.slice(at + 1).replace(/#.*/s, ''));
    return /^[\w.~+-]+$/.test(text) ? { code: text } : undefined;
  }

  /** Shows the browser what became of its answer, and ends every connection. */
  async close(page: Page): Promise<void> {
    this.#server.close();
    if (this.#browser !== undefined) await shown(this.#browser, page);
    this.#server.closeAllConnections();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => {});
    const answer = this.#answerIn(request);
    if (answer === undefined) show(response, PAGES.stranger);
    else if (this.#browser !== undefined) show(response, PAGES.answered);
    else {
      this.#browser = response;
      this.#tell(answer);
    }
  }

  // The Host tells a page apart whose own name was made to lead here (DNS rebinding).
  #answerIn({ method, url = '', headers }: IncomingMessage): AuthorizeAnswer | undefined {
    const { host, pathname } = new URL(this.redirectUri);
    const [path, query] = url.split(/\?(.*)/s);
    if (method !== 'GET' || headers.host?.toLowerCase() !== host || path !== pathname) return undefined;
    return this.#read(query ?? '');
  }

  #read(query: string): AuthorizeAnswer | undefined {
    const given = new URLSearchParams(query);
    if (!isEqual(given.get('state') ?? '', this.state)) return undefined;
    const [code, error] = [given.get('code'), given.get('error')];
    if (error) return { error, description: given.get('error_description') ?? '' };
    return code ? { code } : undefined;
  }
}

// Hashes have one length, and comparing them takes one time.
function isEqual(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return x !== undefined && y !== undefined && timingSafeEqual(x, y);
}

function show(response: ServerResponse, page: Page): void {
  response.writeHead(page.status, PAGE_HEADERS).end(pageHtml(page));
}

// Resolves when the browser has the page; one that takes it too slowly is not waited for.
async function shown(response: ServerResponse, page: Page): Promise<void> {
  const { socket } = response;
  if (socket === null || socket.destroyed) return;
  const tooLong = setTimeout(() => socket.destroy(), LONGEST_GOODBYE_MS);
  const gone = once(socket, 'close').catch(() => undefined);
  show(response, page);
  await gone;
  clearTimeout(tooLong);
}

function noPort(port: number, cause: unknown): UsageError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown trouble';
  const why = code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be listened to (${code})`;
  return new UsageError(`port ${port} on 127.0.0.1 ${why}`, {
    hint: 'take another one, or leave --port out: podio login --web',
    cause,
  });
}

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What a RawServer does once the head of a request is there, or the head of the next one on the same socket. */
export type Manners = (socket: Socket, head: string) => void;

/** A server that answers byte for byte what a test wants, HTTP or not. */
export class RawServer implements AsyncDisposable {
  /** What came in over each connection; an empty text for one over which nothing came. */
  readonly heard: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(manners: Manners) {
    this.#server = createServer((socket) => this.#listen(socket, manners));
  }

  /** Listens on 127.0.0.1, or on every address of this machine. */
  static async start(manners: Manners, host = '127.0.0.1'): Promise<RawServer> {
    const raw = new RawServer(manners);
    raw.#server.listen(0, host);
    await once(raw.#server, 'listening');
    return raw;
  }

  get port(): number {
    const { port } = this.#server.address() as AddressInfo;
    return port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  #listen(socket: Socket, manners: Manners): void {
    const at = this.heard.push('') - 1;
    let unread = '';
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      this.heard[at] += chunk;
      unread += chunk;
      for (let end = unread.indexOf('\r\n\r\n'); end >= 0; end = unread.indexOf('\r\n\r\n')) {
        manners(socket, unread.slice(0, end));
        unread = unread.slice(end + 4);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** An answer as it goes over the wire, and the end of the connection announced. */
export function answer(status: number, headers: readonly string[], body = ''): string {
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  return [`HTTP/1.1 ${status} Whatever`, ...headers, length, 'Connection: close', '', body].join('\r\n');
}

/** Somebody on every address of this machine who would be glad of a token, and answers as if all were well. */
export function startStranger(): Promise<RawServer> {
  return RawServer.start((socket) => socket.end(answer(200, [], '{"from":"a stranger"}')), '::');
}

import type { Socket } from 'node:net';
import type { Readable, ReadableOptions } from 'node:stream';
import { type BodySource, isSource } from '../values/body.ts';
import { type AnswerHead, ProtocolError } from './answer-head.ts';
import { AnswerReader, type AnswerSink } from './answer-reader.ts';
import type { Answer, Exchange } from './exchange.ts';

/** What a connection is made of. */
export interface ConnectionOptions {
  /** Makes the socket, which tells all that comes to `hear`. */
  readonly open: (hear: (chunk: Buffer) => void) => Socket;
  /** The event after which the socket may be written to. */
  readonly opensWith: 'connect' | 'secureConnect';
  /** Node's class, which is loaded with the first socket. */
  readonly Readable: new (
    options: ReadableOptions,
  ) => Readable;
}

/** What a connection tells whoever keeps it for the next request. */
export interface Keeper {
  /** What TLS needs to begin where it left off, by the server's host. */
  readonly tickets: Map<string, Buffer>;
  /** It may be used again. */
  onFree(connection: Connection): void;
  /** It is no more. */
  onClose(connection: Connection): void;
}

/** An exchange that is under way. */
interface UnderWay {
  readonly exchange: Exchange;
  readonly reader: AnswerReader;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly unlisten: () => void;
  body?: Readable;
  /** Ends the sending of a long body. Answers whether all of it had been taken. */
  stopPouring?: () => boolean;
  /** Whether the answer came before the request was sent. */
  isEarly?: boolean;
}

/** As long as a free connection is worth keeping: servers, and what lies on the way to them, forget it soon. */
const LONGEST_IDLE_MS = 15_000;
// What may wait for its reader.
const MOST_UNREAD = 64 * 1024;

/** A connection to a server, over which one request at a time is answered (HTTP/1.1, RFC 9112). */
export class Connection implements AnswerSink {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #keeper: Keeper | undefined;
  readonly #listeners = {
    timeout: () => this.#timedOut(),
    end: () => this.#ended(),
    error: (error: Error) => this.#break(error),
    close: () => this.#closed(),
  };
  #isOpen = false;
  #isReleased = false;
  #hasServed = false;
  #isStale = false;
  #underWay: UnderWay | undefined;

  /** Where nobody keeps it, it ends with its first answer. */
  constructor(options: ConnectionOptions, keeper?: Keeper) {
    const { open, opensWith } = options;
    const socket = open((chunk) => this.#read(chunk));
    this.#options = options;
    this.#socket = socket;
    this.#keeper = keeper;
    socket.once(opensWith, () => this.#opened());
    for (const [event, listener] of Object.entries(this.#listeners)) socket.on(event, listener);
  }

  /** Whether another request may be sent over it. */
  get isAlive(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  /**
   * Whether the server had closed it before it heard of the last request, as far as can be told: it has answered others
   * before, and of this one not a byte.
   */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Sends a request, and resolves once the head of its answer is there. @throws what `inWords` makes of any trouble. */
  exchange(exchange: Exchange): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const { method, signal, timeoutMs } = exchange;
      const abort = () => this.abort(signal?.reason);
      const unlisten = () => signal?.removeEventListener('abort', abort);
      signal?.addEventListener('abort', abort, { once: true });
      this.#underWay = { exchange, reader: new AnswerReader(method, this), resolve, reject, unlisten };
      this.#socket.ref().setTimeout(timeoutMs);
      if (signal?.aborted) abort();
      else if (this.#isOpen) this.#write(exchange);
    });
  }

  /**
   * Ends it. Whoever waits for an answer over it is told the reason as it is, since whoever ends it knows what he has in
   * mind; only a time that is up is put into words.
   */
  abort(reason: unknown): void {
    const error =
      reason instanceof Error ? reason : new DOMException('the request was aborted', 'AbortError');
    if (error.name === 'TimeoutError') this.#break(error);
    else this.#fail(error);
  }

  /** The socket, for another protocol: this connection knows nothing more of it. */
  release(): Socket {
    this.#letGo();
    this.#isReleased = true;
    for (const [event, listener] of Object.entries(this.#listeners)) this.#socket.off(event, listener);
    return this.#socket.pause().setTimeout(0);
  }

  head(head: AnswerHead): void {
    const underWay = this.#underWay;
    if (underWay === undefined) return;
    const body = new this.#options.Readable({
      highWaterMark: MOST_UNREAD,
      read: () => this.#flow(underWay),
      destroy: (error, done) => {
        if (this.#underWay === underWay) this.#break(error ?? new Error('nobody reads the answer'));
        done(error);
      },
    });
    // It may break off before its reader has come, who is told all the same.
    underWay.body = body.on('error', () => {});
    underWay.isEarly = isSource(underWay.exchange.body) && !underWay.stopPouring?.();
    underWay.resolve({ head, body });
  }

  data(piece: Buffer): void {
    if (this.#underWay?.body?.push(piece) === false) this.#socket.pause();
  }

  end(isLast: boolean): void {
    const underWay = this.#letGo();
    underWay?.body?.push(null);
    this.#hasServed = true;
    // What the server has not heard, it would take for the next request.
    const isSent = !underWay?.isEarly && this.#socket.writableLength === 0;
    if (isLast || !isSent || this.#keeper === undefined) this.#socket.destroy();
    else {
      this.#socket.resume().unref().setTimeout(LONGEST_IDLE_MS);
      this.#keeper.onFree(this);
    }
  }

  #break(trouble: Error): void {
    const isCut = 'code' in trouble && (trouble.code === 'ECONNRESET' || trouble.code === 'EPIPE');
    this.#isStale = isCut && this.#hasServed && this.#underWay?.reader.hasBegun === false;
    this.#fail(this.#underWay?.exchange.inWords(trouble, this.#isOpen) ?? trouble);
  }

  #fail(error: Error): void {
    const underWay = this.#letGo();
    this.#socket.destroy();
    if (underWay?.body === undefined) underWay?.reject(error);
    else underWay.body.destroy(error);
  }

  #opened(): void {
    this.#isOpen = true;
    if (this.#underWay !== undefined) this.#write(this.#underWay.exchange);
  }

  #write({ head, body }: Exchange): void {
    const socket = this.#socket;
    if (body === undefined) socket.write(head, 'latin1');
    else if (isSource(body)) {
      socket.write(head, 'latin1');
      this.#pour(body);
    } else socket.write(Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body)]));
  }

  #pour(body: BodySource): void {
    const underWay = this.#underWay;
    const fail = (error: Error) => this.#underWay === underWay && this.#break(error);
    import('./pouring.ts')
      .then(({ pour }) => {
        // An answer that came first needs no more of it.
        if (underWay === undefined || this.#underWay !== underWay || underWay.body !== undefined) return;
        underWay.stopPouring = pour(body, this.#socket, fail);
      })
      .catch(fail);
  }

  #read(chunk: Buffer): void {
    if (this.#isReleased) return;
    // Whatever is said unasked, no later request may be answered with it.
    if (this.#underWay === undefined) {
      this.#socket.destroy();
      return;
    }
    try {
      const rest = this.#underWay.reader.read(chunk);
      if (rest.length > 0) this.#socket.destroy();
    } catch (error) {
      // Whatever else is thrown, a reader of the body has thrown it.
      if (!(error instanceof ProtocolError)) throw error;
      this.#break(error);
    }
  }

  #flow(underWay: UnderWay): void {
    if (this.#underWay !== underWay || !this.#socket.isPaused()) return;
    // Silence counts from here on: until now nobody wanted to hear anything.
    this.#socket.setTimeout(underWay.exchange.timeoutMs).resume();
  }

  // A process that was stopped (^Z) or asleep finds its time up before it has read what came meanwhile.
  #timedOut(): void {
    const underWay = this.#underWay;
    if (underWay === undefined) this.#socket.destroy();
    if (underWay === undefined || this.#socket.isPaused()) return;
    const heard = this.#socket.bytesRead;
    setImmediate(() => {
      if (this.#underWay !== underWay || this.#socket.bytesRead !== heard) return;
      this.#break(new DOMException('the time is up', 'TimeoutError'));
    });
  }

  #ended(): void {
    if (this.#underWay === undefined) this.#socket.destroy();
    else if (!this.#underWay.reader.close()) this.#break(reset());
  }

  #closed(): void {
    if (this.#underWay !== undefined) this.#break(reset());
    this.#keeper?.onClose(this);
  }

  #letGo(): UnderWay | undefined {
    const underWay = this.#underWay;
    this.#underWay = undefined;
    underWay?.unlisten();
    return underWay;
  }
}

function reset(): Error {
  return Object.assign(new Error('the connection was closed before the end of the answer'), {
    code: 'ECONNRESET',
  });
}

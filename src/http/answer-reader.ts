import { type AnswerHead, isField, mayBeHead, ProtocolError, readHead } from './answer-head.ts';

/** Hears of an answer as it comes. */
export interface AnswerSink {
  head(head: AnswerHead): void;
  data(piece: Buffer): void;
  /** The answer is whole. `isLast` says that nothing more can come over its connection. */
  end(isLast: boolean): void;
}

/** As much as Node's own parser reads: of a head, of a line between chunks, of trailers. */
const LONGEST_HEAD = 16 * 1024;
const [CR, LF] = [0x0d, 0x0a];
const NOTHING: Buffer = Buffer.alloc(0);

/** Reads one answer, in whichever pieces it comes (RFC 9112 §6, §7). Whatever could be read in two ways is refused. */
export class AnswerReader {
  readonly #method: string;
  readonly #sink: AnswerSink;
  #step: ((chunk: Buffer) => Buffer) | undefined = this.#readHead;
  /** The beginning of a head or a line whose end has not come. */
  #unread = NOTHING;
  /** Bytes that are to come of the body, or of the chunk. */
  #left = 0;
  #trailers = 0;
  #hasBegun = false;
  #isPersistent = false;
  #isUntilClose = false;

  /** `method` is that of the request, which decides whether a body comes at all. */
  constructor(method: string, sink: AnswerSink) {
    this.#method = method;
    this.#sink = sink;
  }

  /** Whether a byte of it has come. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Reads what came, and answers what came after the end of the answer. @throws {ProtocolError} */
  read(chunk: Buffer): Buffer {
    this.#hasBegun = true;
    let rest = chunk;
    while (rest.length > 0 && this.#step !== undefined) rest = this.#step(rest);
    return rest;
  }

  /** Nothing more comes. Answers whether the answer is whole. */
  close(): boolean {
    if (this.#isUntilClose && this.#step !== undefined) this.#end();
    return this.#step === undefined;
  }

  #readHead(chunk: Buffer): Buffer {
    const all = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    const end = all.indexOf('\r\n\r\n');
    if (end > LONGEST_HEAD || (end < 0 && all.length > LONGEST_HEAD))
      throw new ProtocolError('HPE_HEADER_OVERFLOW');
    if (end < 0) {
      if (!mayBeHead(all.toString('latin1'))) throw new ProtocolError('HPE_INVALID_CONSTANT');
      this.#unread = all;
      return NOTHING;
    }
    this.#unread = NOTHING;
    this.#take(readHead(all.toString('latin1', 0, end)));
    return all.subarray(end + 4);
  }

  #take(head: AnswerHead): void {
    // Nobody asked for another protocol.
    if (head.status === 101) throw new ProtocolError('HPE_INVALID_STATUS');
    if (head.status < 200) return;
    // Another protocol begins: of it, nothing is read here.
    if (this.#method === 'CONNECT' && head.status < 300) {
      this.#step = undefined;
      this.#sink.head(head);
      return;
    }
    const length = lengthOf(head);
    const connection = String(head.headers.connection ?? '').toLowerCase();
    this.#isPersistent = head.version === '1.1' && !/\bclose\b/.test(connection);
    this.#sink.head(head);
    if (this.#hasNoBody(head.status) || length === 0) this.#end();
    else if (length === 'chunked') this.#step = this.#readSize;
    else {
      this.#isUntilClose = length === undefined;
      this.#left = length ?? Number.POSITIVE_INFINITY;
      this.#step = this.#readBody;
    }
  }

  #hasNoBody(status: number): boolean {
    return this.#method === 'HEAD' || status === 204 || status === 304;
  }

  #readBody(chunk: Buffer): Buffer {
    const rest = this.#pass(chunk);
    if (this.#left === 0) this.#end();
    return rest;
  }

  #readSize(chunk: Buffer): Buffer {
    const { line, rest } = this.#line(chunk);
    if (line === undefined) return rest;
    const size = /^([\da-f]{1,12})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/i.exec(line)?.[1];
    if (size === undefined) throw new ProtocolError('HPE_INVALID_CHUNK_SIZE');
    this.#left = Number.parseInt(size, 16);
    this.#step = this.#left === 0 ? this.#readTrailer : this.#readChunk;
    return rest;
  }

  #readChunk(chunk: Buffer): Buffer {
    const rest = this.#pass(chunk);
    if (this.#left === 0) this.#step = this.#readChunkEnd;
    return rest;
  }

  #readChunkEnd(chunk: Buffer): Buffer {
    const end = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    if (end[0] !== CR || (end.length > 1 && end[1] !== LF)) throw new ProtocolError('HPE_STRICT');
    const isWhole = end.length > 1;
    this.#unread = isWhole ? NOTHING : end;
    if (isWhole) this.#step = this.#readSize;
    return end.subarray(2);
  }

  // What stands in them is of no use to anybody here.
  #readTrailer(chunk: Buffer): Buffer {
    const { line, rest } = this.#line(chunk);
    if (line === '') this.#end();
    else if (line !== undefined && !isField(line)) throw new ProtocolError('HPE_INVALID_HEADER_TOKEN');
    this.#trailers += line?.length ?? 0;
    if (this.#trailers > LONGEST_HEAD) throw new ProtocolError('HPE_HEADER_OVERFLOW');
    return rest;
  }

  #pass(chunk: Buffer): Buffer {
    const piece = chunk.length <= this.#left ? chunk : chunk.subarray(0, this.#left);
    this.#left -= piece.length;
    this.#sink.data(piece);
    return chunk.subarray(piece.length);
  }

  #line(chunk: Buffer): { readonly line?: string; readonly rest: Buffer } {
    const all = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    const end = all.indexOf('\r\n');
    if (end > LONGEST_HEAD || (end < 0 && all.length > LONGEST_HEAD))
      throw new ProtocolError('HPE_HEADER_OVERFLOW');
    this.#unread = end < 0 ? all : NOTHING;
    return end < 0
      ? { rest: NOTHING }
      : { line: all.toString('latin1', 0, end), rest: all.subarray(end + 2) };
  }

  #end(): void {
    this.#step = undefined;
    this.#sink.end(this.#isUntilClose || !this.#isPersistent);
  }
}

// RFC 9112 §6.3. Two lengths, or a length and chunks, are how one answer is smuggled in another.
function lengthOf({ headers }: AnswerHead): number | 'chunked' | undefined {
  const { 'content-length': length, 'transfer-encoding': coding } = headers;
  if (coding !== undefined) {
    if (length !== undefined) throw new ProtocolError('HPE_UNEXPECTED_CONTENT_LENGTH');
    if (String(coding).toLowerCase() !== 'chunked') throw new ProtocolError('HPE_INVALID_TRANSFER_ENCODING');
    return 'chunked';
  }
  if (length === undefined) return undefined;
  if (typeof length !== 'string' || !/^\d{1,15}$/.test(length))
    throw new ProtocolError('HPE_INVALID_CONTENT_LENGTH');
  return Number(length);
}

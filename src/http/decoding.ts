import type { Readable, Transform } from 'node:stream';
import { PodioError } from '../errors.ts';
import type { Answer } from './exchange.ts';

/**
 * The body as the server meant it, decompressed where it was compressed. What goes wrong under way, the end of a
 * connection before the end of the answer included, ends the stream with the error that `inWords` makes of it.
 */
export async function decoded(answer: Answer, inWords: (error: Error) => Error): Promise<Readable> {
  const encoding = String(answer.head.headers['content-encoding'] ?? '').toLowerCase();
  return encoding === 'gzip' || encoding === 'br' || encoding === 'deflate'
    ? unpacked(answer, encoding, inWords)
    : answer.body;
}

async function unpacked(
  { head, body }: Answer,
  encoding: Encoding,
  inWords: (error: Error) => Error,
): Promise<Readable> {
  const [{ PassThrough }, transform] = await Promise.all([import('node:stream'), inflate(encoding)]);
  const out = new PassThrough().on('error', () => {});
  const fail = (error: Error) => out.destroy(inWords(error));
  if (body.errored) return fail(body.errored);
  body.once('error', fail);
  out.once('close', () => body.destroy());
  // Nothing at all is no half of anything: the answer to a HEAD, a 204.
  let isEmpty = true;
  body.once('data', () => {
    isEmpty = false;
  });
  transform.once('error', (error) => (isEmpty && body.readableEnded ? out.end() : fail(error)));
  body.pipe(transform).pipe(out);
  limit(transform, () => fail(tooMuch(head)));
  return out;
}

type Encoding = 'gzip' | 'br' | 'deflate';

// A kilobyte can unpack to a gigabyte; nothing that Podio sends packed comes near this.
const MOST_UNPACKED = 64 * 1024 * 1024;

function limit(transform: Transform, exceeded: () => void): void {
  let length = 0;
  transform.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > MOST_UNPACKED) exceeded();
  });
}

function tooMuch({ status }: Answer['head']): PodioError {
  return new PodioError('the answer unpacks to far too much', { status, error: '' });
}

async function inflate(encoding: Encoding): Promise<Transform> {
  const zlib = await import('node:zlib');
  if (encoding === 'br') return zlib.createBrotliDecompress();
  return encoding === 'gzip' ? zlib.createGunzip() : zlib.createInflate();
}

/** The whole of a body that is at most so long. `tooLong` makes the error for one that is longer. */
export function readWhole(body: Readable, maxBytes: number, tooLong: () => Error): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    // By events, at a third of what an iterator costs; one that has ended already has no more of them.
    if (body.errored) reject(body.errored);
    body.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) body.destroy(tooLong());
      else chunks.push(chunk);
    });
    body.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    body.once('error', reject);
    body.once('close', () => {
      // An error is made with a stack, which takes as long as all the rest here.
      if (!body.readableEnded) reject(body.errored ?? new Error('the body was closed before its end'));
    });
  });
}

/** Reads a body that nobody wants, so far that one hears of its breaking off; of one without end, no more than so much. */
export async function drain(body: Readable, maxBytes: number): Promise<void> {
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) return;
  }
}

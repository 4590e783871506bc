import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** The largest body that is kept: Podio's 100 MB for a file, and room for the multipart frame. */
const MAX_BODY_BYTES = 101 * 1024 * 1024;

/** A request whose body has arrived. */
export interface ApiRequest {
  readonly method: string;
  /** As sent, undecoded, without the query. */
  readonly path: string;
  /** As sent, without the question mark. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** Empty where it is larger than `MAX_BODY_BYTES`. */
  readonly body: Buffer;
  readonly isTooLarge: boolean;
}

/**
 * The request, as soon as the last byte of its body is here.
 * @throws where the connection breaks before that.
 */
export async function readRequest(incoming: IncomingMessage): Promise<ApiRequest> {
  const body = await readBody(incoming);
  const { headers } = incoming;
  return { ...requestLine(incoming), headers, body: body ?? Buffer.alloc(0), isTooLarge: body === undefined };
}

/** The request line, split at the first question mark; never throws, whatever the target is. */
function requestLine(incoming: IncomingMessage): Pick<ApiRequest, 'method' | 'path' | 'query'> {
  // A proxy's absolute form (RFC 9112 §3.2.2) means the same path.
  const target = (incoming.url ?? '/').replace(/^https?:\/\/[^/?]*/i, '');
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  return { method: incoming.method ?? 'GET', path, query: mark === -1 ? '' : target.slice(mark + 1) };
}

/** The whole body, each byte held once where its length was announced; undefined where it is too large. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const announced = Number(incoming.headers['content-length'] ?? 0);
  let body: Buffer = Buffer.allocUnsafe(announced <= MAX_BODY_BYTES ? announced : 0);
  let used = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    // What is too large is read to its end all the same: a client that is still sending sees no answer.
    if (used + chunk.length <= MAX_BODY_BYTES) {
      body = withRoom(body, used, used + chunk.length);
      chunk.copy(body, used);
    }
    used += chunk.length;
  }
  return used > MAX_BODY_BYTES ? undefined : body.subarray(0, used);
}

function withRoom(body: Buffer, used: number, wanted: number): Buffer {
  if (wanted <= body.length) return body;
  const larger = Buffer.allocUnsafe(Math.min(Math.max(wanted, 2 * body.length), MAX_BODY_BYTES));
  body.copy(larger, 0, 0, used);
  return larger;
}

/** The media type of the body in lower case, without parameters; empty where none is named. */
export function mediaType(headers: IncomingHttpHeaders): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

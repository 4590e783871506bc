import type { Readable } from 'node:stream';
import { type Body, lengthOf } from '../values/body.ts';
import { isRepeatable } from '../values/repeatable.ts';
import type { Connections } from './connections.ts';
import { decoded } from './decoding.ts';
import { placeOf } from './place.ts';
import { type RequestHeaders, requestHead } from './request-head.ts';
import { connectionTo } from './route.ts';
import { inWords } from './trouble.ts';

/** One request to one origin. The path goes over the wire exactly as written. */
export interface HttpRequest {
  readonly method: string;
  /** Scheme, host and port, e.g. `https://api.podio.com`. */
  readonly origin: string;
  readonly path: string;
  readonly headers?: RequestHeaders;
  readonly body?: Body | undefined;
  /** Milliseconds without a sign of life after which the request is given up. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly watch?: Watch | undefined;
  /** Where connections are kept open for the next request; a connection of its own where it is left out. */
  readonly connections?: Connections | undefined;
}

/** Is told what goes over the wire, and what comes back. */
export interface Watch {
  readonly sent: (request: Pick<HttpRequest, 'method' | 'path'> & { headers: RequestHeaders }) => void;
  readonly answered: (response: HttpResponse) => void;
}

/** An answer whose body is still on its way, decompressed. */
export interface HttpResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
  readonly body: Readable;
}

/**
 * Sends one request and resolves once the answer's headers are there. Follows no redirect.
 * @throws {UsageError} where method, path or headers are none. @throws {ConnectionError} where the server cannot be
 * reached or says nothing. @throws {PodioError} where what it says is not HTTP.
 */
export async function send(request: HttpRequest): Promise<HttpResponse> {
  const { origin, method, path, body, timeoutMs, signal, watch, connections } = request;
  signal?.throwIfAborted();
  const headers = allHeaders(request);
  const head = requestHead(method, path, headers);
  const words = (error: Error, wasSent?: boolean) => inWords(error, request, wasSent);
  const route = { origin, timeoutMs, signal, inWords: words };
  const mayRepeat = isRepeatable(method);
  // What must not be repeated goes over no connection whose end is on its way: a turn of the event loop brings it.
  if (connections !== undefined && !mayRepeat) await new Promise(setImmediate);
  const connection = await (connections?.to(route) ?? connectionTo(route));
  watch?.sent({ method, path, headers });
  const exchange = { method, head, body, timeoutMs, signal, inWords: words };
  const answer = await connection.exchange(exchange).catch(async (error: unknown) => {
    // The end of a connection and the next request may cross on the way (RFC 9112 §9.3.1): that is nobody's trouble.
    if (connections === undefined || !connection.isStale || !mayRepeat) throw error;
    return (await connections.new(route)).exchange(exchange);
  });
  const { status, statusText, headers: named, rawHeaders } = answer.head;
  const response = { status, statusText, headers: named, rawHeaders, body: await decoded(answer, words) };
  watch?.answered(response);
  return response;
}

// What tells whom a request is for, and where it ends, is not the caller's to say.
const FRAMING = new Set(['host', 'connection', 'content-length', 'transfer-encoding']);

// One by one: spreading objects into each other takes as long as all the rest here, and a batch does it for each call.
function allHeaders({ origin, method, body, headers = {}, connections }: HttpRequest): RequestHeaders {
  const all: Record<string, string | readonly string[]> = {
    host: placeOf(origin).host,
    'accept-encoding': 'gzip, br',
  };
  const length = lengthOf(method, body);
  if (length !== undefined) all['content-length'] = String(length);
  for (const name in headers) {
    const lower = name.toLowerCase();
    if (!FRAMING.has(lower)) all[lower] = headers[name] ?? '';
  }
  all.connection = connections === undefined ? 'close' : 'keep-alive';
  return all;
}

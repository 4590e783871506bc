import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, RequestOptions } from 'node:http';
import type { Readable } from 'node:stream';
import { ConnectionError, Failure, PodioError } from '../errors.ts';
import { type Body, type BodySource, isSource } from '../values/body.ts';
import type { Connections } from './connections.ts';
import { decoded } from './decoding.ts';
import { proxyAgent } from './proxy.ts';

/** One request to one origin. The path goes over the wire exactly as written. */
export interface HttpRequest {
  readonly method: string;
  /** Scheme, host and port, e.g. `https://api.podio.com`. */
  readonly origin: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
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
  readonly sent: (request: Pick<HttpRequest, 'method' | 'path'> & { headers: OutgoingHttpHeaders }) => void;
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
 * @throws {ConnectionError} where the server cannot be reached or says nothing.
 * @throws {PodioError} where what it says is not HTTP.
 */
export async function send(request: HttpRequest): Promise<HttpResponse> {
  request.signal?.throwIfAborted();
  const { origin, method, path, headers = {} } = request;
  const { hostname, port, protocol } = placeOf(origin);
  const { connections } = request;
  // Connections that are kept are ended all at once, by whoever keeps them.
  const hangUp = connections === undefined ? new AbortController() : undefined;
  const agent = await (hangUp ? proxyAgent(origin, hangUp.signal) : connections?.agent(origin));
  const sent = { 'accept-encoding': 'gzip, br', ...bodyLength(request), ...headers };
  const options: RequestOptions = { method, path, headers: sent, hostname, port };
  if (agent !== undefined) options.agent = agent;
  const wire = (await open(protocol))(options);
  return exchange(request, wire, hangUp);
}

type Place = Readonly<Record<'hostname' | 'port' | 'protocol', string>>;

const places = new Map<string, Place>();

// Calls are many, origins few.
function placeOf(origin: string): Place {
  const known = places.get(origin);
  if (known !== undefined) return known;
  const { hostname, port, protocol } = new URL(origin);
  const place = { hostname: hostname.replace(/^\[|\]$/g, ''), port, protocol };
  places.set(origin, place);
  return place;
}

/** Loads what the first request to an origin needs, while something else is waited for. */
export async function prepare(origin: string): Promise<void> {
  await open(placeOf(origin).protocol);
}

type Open = (options: RequestOptions) => ClientRequest;

const opens = new Map<string, Open>();

// node:http takes longer to load than anything else here, and https longer still: each only where it is used, and once.
async function open(protocol: string): Promise<Open> {
  const opened = opens.get(protocol);
  if (opened !== undefined) return opened;
  const { request } = protocol === 'https:' ? await import('node:https') : await import('node:http');
  opens.set(protocol, request);
  return request;
}

function bodyLength({ method, body }: HttpRequest): Record<string, string> {
  if (body !== undefined) {
    return { 'content-length': String(isSource(body) ? body.length : Buffer.byteLength(body)) };
  }
  return method === 'POST' || method === 'PUT' ? { 'content-length': '0' } : {};
}

function exchange(
  request: HttpRequest,
  wire: ClientRequest,
  hangUp?: AbortController,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    let message: IncomingMessage | undefined;
    const stop = (reason: Error) => {
      reject(inWords(reason, request));
      (message ?? wire).destroy(reason);
      hangUp?.abort();
    };
    const abort = () => stop(request.signal?.reason);
    request.signal?.addEventListener('abort', abort, { once: true });
    request.connections?.enter(stop);
    wire.once('close', () => {
      request.signal?.removeEventListener('abort', abort);
      request.connections?.leave(stop);
    });
    limitSilence(wire, request, stop);
    wire.on('error', (error) => reject(inWords(error, request)));
    wire.once('response', (response) => {
      message = response;
      resolve(answerOf(response, request));
    });
    request.watch?.sent({ ...request, headers: wire.getHeaders() });
    if (isSource(request.body)) pour(request.body, wire, stop);
    else wire.end(request.body);
  });
}

function pour(body: BodySource, wire: ClientRequest, stop: (reason: Error) => void): void {
  import('./pouring.ts').then(({ pourInto }) => pourInto(wire, body)).catch(stop);
}

// The wire's own limit begins with its socket, which a proxy may never give.
function limitSilence(wire: ClientRequest, request: HttpRequest, stop: (reason: Error) => void): void {
  const limit = setTimeout(() => stop(timeOut(request)), request.timeoutMs);
  for (const event of ['socket', 'close']) wire.once(event, () => clearTimeout(limit));
  // A process that was stopped (^Z) or asleep finds its time up before it has read what came meanwhile.
  wire.setTimeout(request.timeoutMs, () => {
    const heard = wire.socket?.bytesRead;
    setImmediate(() => wire.socket?.bytesRead === heard && stop(timeOut(request)));
  });
}

async function answerOf(message: IncomingMessage, request: HttpRequest): Promise<HttpResponse> {
  const answer = {
    status: message.statusCode ?? 0,
    statusText: message.statusMessage ?? '',
    headers: message.headers,
    rawHeaders: message.rawHeaders,
    body: await decoded(message, (error) => inWords(error, request)),
  };
  request.watch?.answered(answer);
  return answer;
}

/** Puts what went wrong on the wire into words; none of the request's headers or body gets into them. */
function inWords(error: Error, request: HttpRequest): Error {
  if (error instanceof Failure || error.name === 'AbortError') return error;
  if (error.name === 'TimeoutError') return timeOut(request);
  const code = 'code' in error ? String(error.code) : '';
  if (code.startsWith('HPE_') || code.startsWith('Z_') || code.startsWith('ERR__ERROR_FORMAT'))
    return notHttp(request, code);
  const { host } = new URL(request.origin);
  const [why, hint] = connectionTrouble(code, host);
  return new ConnectionError(why, { hint, isPassing: PASSING.includes(code), wasSent: !UNSENT.test(code) });
}

// What a moment may mend. Not a time-out: whoever allowed so long did not allow three times as long.
const PASSING = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];

// Before a connection stands, and is trusted, nothing is sent.
const UNSENT = /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH)$|CERT|SELF_SIGNED|ISSUER/;

function connectionTrouble(code: string, host: string): readonly [why: string, hint: string] {
  if (/CERT|SELF_SIGNED|ISSUER|ERR_TLS/.test(code)) {
    return [
      `the certificate of ${host} could not be verified (${code})`,
      'behind a proxy that opens TLS, name its certificate in NODE_EXTRA_CA_CERTS',
    ];
  }
  return [
    `${TROUBLES[code] ?? 'could not talk to'} ${host}${TROUBLES[code] ? '' : ` (${code || 'unknown trouble'})`}`,
    CHECK,
  ];
}

const CHECK = 'check the network, HTTPS_PROXY and --api-url, then try again';

const TROUBLES: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such host:',
  EAI_AGAIN: 'the name could not be looked up (DNS):',
  ECONNREFUSED: 'nothing answers at',
  ECONNRESET: 'the connection was cut by',
  EPIPE: 'the connection was cut by',
  ETIMEDOUT: 'no answer in time from',
  EHOSTUNREACH: 'no way to',
  ENETUNREACH: 'no network to reach',
};

function timeOut({ origin, timeoutMs }: HttpRequest): ConnectionError {
  const seconds = Math.round(timeoutMs / 100) / 10;
  return new ConnectionError(`${new URL(origin).host} said nothing for ${seconds} s`, {
    hint: 'try again, or wait longer with --timeout SECONDS',
  });
}

function notHttp({ origin }: HttpRequest, code: string): PodioError {
  return new PodioError(`the answer of ${new URL(origin).host} could not be read (${code})`, {
    status: 0,
    error: '',
    hint: 'is a proxy or another service answering in its place? See --api-url and HTTPS_PROXY',
  });
}

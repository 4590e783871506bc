import type { Socket } from 'node:net';
import { ConnectionError, UsageError } from '../errors.ts';
import { dial } from './dial.ts';
import type { Terms } from './exchange.ts';
import { type Place, placeOf } from './place.ts';
import { requestHead } from './request-head.ts';

/**
 * A socket to a place through the CONNECT of a proxy (RFC 9110 §9.3.6).
 * @throws {UsageError} where the URL is that of no HTTP proxy. @throws {ConnectionError} where it is in the way.
 */
export async function tunnel(proxy: string, to: Place, terms: Terms): Promise<Socket> {
  const url = readProxy(proxy);
  const { timeoutMs, signal } = terms;
  const inWords = (error: Error) =>
    error.name === 'TimeoutError' ? terms.inWords(error, false) : unreachable(url, error);
  const connection = await dial(placeOf(url.origin));
  const authority = `${to.hostname.includes(':') ? `[${to.hostname}]` : to.hostname}:${to.port}`;
  const head = requestHead('CONNECT', authority, { host: authority, ...login(url) });
  const { head: answer } = await connection.exchange({ method: 'CONNECT', head, timeoutMs, signal, inWords });
  if (answer.status === 200) return connection.release();
  // Whatever a proxy says instead of letting us through, the API has not said it.
  connection.abort(new Error('the proxy refuses'));
  throw refusal(to, answer.status);
}

function readProxy(proxy: string): URL {
  const url = URL.canParse(proxy) ? new URL(proxy) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url;
  throw new UsageError('HTTPS_PROXY (or ALL_PROXY) is not the URL of an HTTP proxy', {
    hint: 'as in http://proxy.example:3128; SOCKS proxies are not supported',
  });
}

function login({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const user = Buffer.from([username, password].map(decodeURIComponent).join(':'));
  return { 'proxy-authorization': `Basic ${user.toString('base64')}` };
}

function unreachable({ host }: URL, error: NodeJS.ErrnoException): ConnectionError {
  const why = error.code ?? 'unknown trouble';
  const hint = 'check HTTPS_PROXY; NO_PROXY names the hosts that need none';
  const isPassing = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EAI_AGAIN'].includes(why);
  return new ConnectionError(`the connection to the proxy ${host} failed (${why})`, {
    ...{ hint, isPassing, wasSent: false },
  });
}

function refusal({ hostname }: Place, status: number): ConnectionError {
  return new ConnectionError(`the proxy did not let us through to ${hostname} (HTTP ${status})`, {
    hint: 'check HTTPS_PROXY; name and password go before its host, as in http://NAME:PASSWORD@proxy:3128',
    wasSent: false,
  });
}

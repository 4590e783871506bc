import { type ClientRequest, request as plain } from 'node:http';
import { Agent, type AgentOptions, request as secure } from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';
import { ConnectionError, UsageError } from '../errors.ts';

/** Where a tunnel ends, and how TLS is to be spoken there. */
type End = ConnectionOptions & { readonly host: string; readonly port: number };

/**
 * An agent whose connections are TLS through the CONNECT of a proxy (RFC 9110 §9.3.6). `signal` breaks off the asking.
 * @throws {UsageError} where the URL is that of no HTTP proxy.
 */
export function tunnelAgent(proxy: string, signal: AbortSignal, options: AgentOptions = {}): Agent {
  const url = readProxy(proxy);
  const createConnection = (end: End, done: (error: Error | null, stream?: Duplex) => void): undefined => {
    const asking = ask(url, end, signal);
    asking.once('error', (error) => done(signal.aborted ? error : unreachable(url, error)));
    // Whatever a proxy says instead of letting us through, the API has not said it.
    asking.once('connect', ({ statusCode = 0 }, socket) => {
      if (statusCode === 200) return done(null, connect({ ...end, socket }));
      socket.destroy();
      done(refusal(end, statusCode));
    });
    asking.end();
  };
  return Object.assign(new Agent(options), { createConnection });
}

function readProxy(proxy: string): URL {
  const url = URL.canParse(proxy) ? new URL(proxy) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url;
  throw new UsageError('HTTPS_PROXY (or ALL_PROXY) is not the URL of an HTTP proxy', {
    hint: 'as in http://proxy.example:3128; SOCKS proxies are not supported',
  });
}

function ask(
  { protocol, hostname, port, username, password }: URL,
  end: End,
  signal: AbortSignal,
): ClientRequest {
  const host = `${end.host.includes(':') ? `[${end.host}]` : end.host}:${end.port}`;
  const user = Buffer.from([username, password].map(decodeURIComponent).join(':'));
  const login = username && { 'proxy-authorization': `Basic ${user.toString('base64')}` };
  return (protocol === 'https:' ? secure : plain)({
    ...{ method: 'CONNECT', path: host, agent: false, signal },
    ...{ hostname: hostname.replace(/^\[|\]$/g, ''), port },
    headers: { host, ...login },
  });
}

function unreachable({ host }: URL, error: NodeJS.ErrnoException): ConnectionError {
  const why = error.code ?? 'unknown trouble';
  const hint = 'check HTTPS_PROXY; NO_PROXY names the hosts that need none';
  const isPassing = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EAI_AGAIN'].includes(why);
  return new ConnectionError(`the connection to the proxy ${host} failed (${why})`, { hint, isPassing });
}

function refusal({ host }: End, status: number): ConnectionError {
  return new ConnectionError(`the proxy did not let us through to ${host} (HTTP ${status})`, {
    hint: 'check HTTPS_PROXY; name and password go before its host, as in http://NAME:PASSWORD@proxy:3128',
  });
}

import type { Agent, AgentOptions } from 'node:http';
import { env } from 'node:process';
import { isLoopback } from '../values/origin.ts';

const NAMES = ['http_proxy', 'https_proxy', 'all_proxy'];

/**
 * The agent that goes through the proxy that HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY name for this origin;
 * undefined where none is. Loopback is never asked for through a proxy. `signal` ends the way to the proxy, too: until the
 * proxy has let it through, a request has no socket of its own that could be ended.
 * @throws {UsageError} where the variable names no proxy that podio can use.
 */
export async function proxyAgent(
  origin: string,
  signal: AbortSignal,
  options: AgentOptions = {},
): Promise<Agent | undefined> {
  if (!NAMES.some((name) => env[name] || env[name.toUpperCase()])) return undefined;
  if (isLoopback(new URL(origin).hostname)) return undefined;
  const { getProxyForUrl } = await import('proxy-from-env');
  const proxy = asNamed(getProxyForUrl(origin));
  return proxy === '' ? undefined : (await import('./tunnel.ts')).tunnelAgent(proxy, signal, options);
}

// `proxy:3128` is an HTTP proxy to everybody else, curl first of all; here it comes back as `https://proxy:3128`.
function asNamed(proxy: string): string {
  const [, bare] = /^https:\/\/(.*)/.exec(proxy) ?? [];
  const isBare = NAMES.some((name) => [env[name], env[name.toUpperCase()]].includes(bare));
  return bare !== undefined && isBare ? `http://${bare}` : proxy;
}

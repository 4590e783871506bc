import { env } from 'node:process';
import { isLoopback } from '../values/origin.ts';

const NAMES = ['http_proxy', 'https_proxy', 'all_proxy'];

/**
 * The URL of the proxy that HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY name for an origin; undefined where none is.
 * Loopback is never asked for through a proxy.
 */
export async function proxyFor(origin: string): Promise<string | undefined> {
  if (!NAMES.some((name) => env[name] || env[name.toUpperCase()])) return undefined;
  if (isLoopback(new URL(origin).hostname)) return undefined;
  const { getProxyForUrl } = await import('proxy-from-env');
  return asNamed(getProxyForUrl(origin)) || undefined;
}

// `proxy:3128` is an HTTP proxy to everybody else, curl first of all; here it comes back as `https://proxy:3128`.
function asNamed(proxy: string): string {
  const [, bare] = /^https:\/\/(.*)/.exec(proxy) ?? [];
  const isBare = NAMES.some((name) => [env[name], env[name.toUpperCase()]].includes(bare));
  return bare !== undefined && isBare ? `http://${bare}` : proxy;
}

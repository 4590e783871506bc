import { UsageError } from '../errors.ts';

/** Podio's own API. */
export const PODIO_API = 'https://api.podio.com';

/**
 * The origin that an API URL names: https, or http on loopback only, and nothing after the host and port.
 * @throws {UsageError} for anything else.
 */
export function apiOrigin(text: string): string {
  const url = parse(text);
  const hint = `give scheme and host only, e.g. ${PODIO_API}`;
  if (url === null) throw new UsageError(`"${text}" is not a URL`, { hint });
  if (url.username || url.password || url.search || url.hash || url.pathname !== '/') {
    throw new UsageError(`the API URL holds more than scheme, host and port`, { hint });
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    throw new UsageError(`${url.origin} is not https`, {
      hint: `write it with https: --api-url ${url.origin.replace(/^\w+:/, 'https:')}; http is taken for loopback only`,
    });
  }
  return url.origin;
}

/** Whether a host name means this machine: localhost, 127.0.0.0/8, ::1. */
export function isLoopback(hostname: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

function parse(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

import type { Connection, Keeper } from './connection.ts';
import { dial, prepare } from './dial.ts';
import type { Terms } from './exchange.ts';
import { placeOf } from './place.ts';
import { proxyFor } from './proxy.ts';

/** Where a connection is to lead, and on which terms a proxy is waited for on the way. */
export interface RouteOptions extends Terms {
  readonly origin: string;
}

/**
 * A connection to an origin, through the proxy that is named for it.
 * @throws {UsageError} where the variable names no proxy. @throws {ConnectionError} where the proxy is in the way.
 */
export async function connectionTo(options: RouteOptions, keeper?: Keeper): Promise<Connection> {
  const place = placeOf(options.origin);
  const proxy = await proxyFor(options.origin);
  // Without TLS, loopback alone is ever asked (`apiOrigin`), and never through a proxy.
  if (proxy === undefined || !place.isTls) return dial(place, keeper);
  // Between the proxy's word and the first of TLS nothing is to be waited for: nobody would hear of trouble meanwhile.
  const [{ tunnel }] = await Promise.all([import('./tunnel.ts'), prepare(options.origin)]);
  return dial(place, keeper, await tunnel(proxy, place, options));
}

/** Where a server listens. */
export interface Place {
  readonly hostname: string;
  readonly port: number;
  /** As the Host header names it: without the port that is usual. */
  readonly host: string;
  readonly isTls: boolean;
}

const places = new Map<string, Place>();

/** Where the server of an origin listens. Calls are many, origins few. */
export function placeOf(origin: string): Place {
  const known = places.get(origin);
  if (known !== undefined) return known;
  const { hostname, port, protocol, host } = new URL(origin);
  const isTls = protocol === 'https:';
  const place = {
    ...{ hostname: hostname.replace(/^\[|\]$/g, ''), host, isTls },
    port: Number(port) || (isTls ? 443 : 80),
  };
  places.set(origin, place);
  return place;
}

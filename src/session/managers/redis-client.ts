import type { Cluster, Redis } from 'ioredis';
import { faultOf, RedisError } from './redis-errors.ts';
import { addressOf, type RedisUrl } from './redis-url.ts';

/** What a command can be given to. */
export type RedisClient = Redis | Cluster;

/** A user's name, where there are users, and the password. */
export interface RedisLogin {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** Which Redis, and who asks. */
export interface RedisClientOptions {
  readonly url: RedisUrl;
  /** Asked for at each new connection. */
  readonly login: () => RedisLogin;
}

/** Nobody waits longer for an answer, connecting included. */
export const LIMIT_MS = 3_000;

/**
 * A client that is connected and logged in, until the signal. It does nothing by itself: what broke stays broken.
 * @throws {RedisError} by what the connection itself reported: of a command one only hears that it is closed.
 */
export async function connect(options: RedisClientOptions, signal: AbortSignal): Promise<RedisClient> {
  const client = await newClient(options);
  signal.throwIfAborted();
  signal.addEventListener('abort', () => client.disconnect(), { once: true });
  let trouble: unknown;
  client.on('error', (error: unknown) => {
    trouble = error;
  });
  await client.connect().catch((error: unknown) => {
    trouble ??= error;
  });
  if (trouble === undefined) return client;
  client.disconnect();
  throw new RedisError(faultOf(trouble), addressOf(options.url));
}

async function newClient({ url, login }: RedisClientOptions): Promise<RedisClient> {
  // Loaded here, because most commands never need a Redis.
  const { Redis, Cluster } = await import('ioredis');
  const { nodes, layout, db, masterName: name } = url;
  const options = { ...USUAL, ...login(), ...(url.tls && { tls: tlsFor(url) }) };
  if (layout === 'cluster') return new Cluster([...nodes], { ...CLUSTER, redisOptions: options });
  if (layout === 'single') return new Redis({ ...options, db, ...nodes[0] });
  const sentinelTls = url.tls && { sentinelTLS: tlsFor(url), enableTLSForSentinelMode: true };
  return new Redis({ ...options, ...SENTINEL, ...sentinelTls, db, sentinels: [...nodes], name });
}

// No second tries behind our back: how often something is asked, and for how long, is decided by who asks.
const USUAL = {
  lazyConnect: true,
  protocol: 2,
  // Counted by the clock, and hence no more than a second line behind the limit of who asks.
  connectTimeout: 10 * LIMIT_MS,
  // What is closed has had its answer, or will never have it.
  disconnectTimeout: 100,
  retryStrategy: () => null,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  enableReadyCheck: false,
  disableClientInfo: true,
} as const;

const SENTINEL = { sentinelRetryStrategy: () => null } as const;

const CLUSTER = {
  lazyConnect: true,
  enableReadyCheck: false,
  clusterRetryStrategy: () => null,
  // Under TLS a cluster's nodes are asked for by the names they give, which their certificates have.
  dnsLookup: (address: string, done: (error: null, address: string) => void) => done(null, address),
} as const;

function tlsFor({ nodes }: RedisUrl): { servername?: string } {
  const host = nodes[0]?.host ?? '';
  return /^[\d.]+$|:/.test(host) ? {} : { servername: host };
}

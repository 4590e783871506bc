import type { OnReadOpts, Socket } from 'node:net';
import type { Readable, ReadableOptions } from 'node:stream';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { Connection, type Keeper } from './connection.ts';
import { type Place, placeOf } from './place.ts';

/** Node's parts that connections are made of. */
interface Parts {
  readonly connect: (options: { host: string; port: number; onread: OnReadOpts }) => Socket;
  readonly connectTls: (options: TlsOptions & { onread?: OnReadOpts }) => Socket;
  readonly Readable: new (options: ReadableOptions) => Readable;
}

const loaded = new Map<boolean, Parts>();

// They take longer to load than anything else here, and TLS longer still: each only where it is used, and once.
async function partsFor({ isTls }: Place): Promise<Parts> {
  const known = loaded.get(isTls);
  if (known !== undefined) return known;
  const [{ connect }, { Readable }] = await Promise.all([import('node:net'), import('node:stream')]);
  const connectTls = isTls ? (await import('node:tls')).connect : plainly;
  const parts = { connect, connectTls, Readable };
  loaded.set(isTls, parts);
  return parts;
}

function plainly(): never {
  throw new Error('TLS was not asked for');
}

/** Loads what the first request to an origin needs, while something else is waited for. */
export async function prepare(origin: string): Promise<void> {
  await partsFor(placeOf(origin));
}

/**
 * A connection to whoever listens at a place, over `tunnel` where there is one. It may be given a request at once, and
 * sends nothing before the server is there and, with TLS, its certificate is trusted.
 */
export async function dial(place: Place, keeper?: Keeper, tunnel?: Socket): Promise<Connection> {
  const { connect, connectTls, Readable } = await partsFor(place);
  const { hostname: host, port, isTls } = place;
  if (!isTls) {
    const open = (hear: Hear) => connect({ host, port, onread: into(hear) });
    return new Connection({ open, opensWith: 'connect', Readable }, keeper);
  }
  const options = { host, port, ALPNProtocols: ['http/1.1'], ...(!isAddress(host) && { servername: host }) };
  const open = (hear: Hear) =>
    tunnel === undefined
      ? connectTls({ ...options, onread: into(hear) })
      : connectTls({ ...options, socket: tunnel }).on('data', hear);
  return new Connection({ open, opensWith: 'secureConnect', Readable }, keeper);
}

type Hear = (chunk: Buffer) => void;

const MOST_AT_ONCE = 64 * 1024;

// One buffer for all that is read, copied from as far as it was filled: otherwise each read is given so large a one anew.
function into(hear: Hear): OnReadOpts {
  const callback = (length: number, buffer: Uint8Array) => {
    hear(Buffer.from(buffer.subarray(0, length)));
    return true;
  };
  return { buffer: Buffer.allocUnsafe(MOST_AT_ONCE), callback };
}

// RFC 6066 §3: a server is told its name, never its address.
function isAddress(host: string): boolean {
  return /^[\d.]+$|:/.test(host);
}

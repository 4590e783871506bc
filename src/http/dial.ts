import type { OnReadOpts, Socket } from 'node:net';
import type { Readable, ReadableOptions } from 'node:stream';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { Connection, type Keeper } from './connection.ts';
import { type Place, placeOf } from './place.ts';

/** What a socket is told of its server, and where to put what it reads. */
interface TcpOptions {
  readonly host: string;
  readonly port: number;
  readonly noDelay: boolean;
  readonly onread?: OnReadOpts;
}

/** Node's parts that connections are made of. */
interface Parts {
  readonly connect: (options: TcpOptions) => Socket;
  readonly isIP: (host: string) => number;
  readonly connectTls: (options: TlsOptions & TcpOptions) => Socket;
  readonly Readable: new (options: ReadableOptions) => Readable;
}

const loaded = new Map<boolean, Parts>();

// They take longer to load than anything else here, and TLS longer still: each only where it is used, and once.
async function partsFor({ isTls }: Place): Promise<Parts> {
  const known = loaded.get(isTls);
  if (known !== undefined) return known;
  const [{ connect, isIP }, { Readable }] = await Promise.all([import('node:net'), import('node:stream')]);
  const connectTls = isTls ? (await import('node:tls')).connect : plainly;
  const parts = { connect, isIP, connectTls, Readable };
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
  const { connect, isIP, connectTls, Readable } = await partsFor(place);
  const { hostname: host, port, isTls } = place;
  if (!isTls) {
    const open = (hear: Hear) => connect({ host, port, noDelay: true, onread: into(hear) });
    return new Connection({ open, opensWith: 'connect', Readable }, keeper);
  }
  const open = (hear: Hear) => {
    const session = keeper?.tickets.get(place.host);
    const options = {
      ...{ host, port, noDelay: true, ALPNProtocols: ['http/1.1'] },
      ...(session && { session }),
      // RFC 6066 §3: a server is told its name, never its address.
      ...(isIP(host) === 0 && { servername: host }),
    };
    const socket =
      tunnel === undefined
        ? connectTls({ ...options, onread: into(hear) })
        : connectTls({ ...options, socket: tunnel }).on('data', hear);
    return socket.on('session', (ticket: Buffer) => keeper?.tickets.set(place.host, ticket));
  };
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

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** How a RedisServer is started: arguments of redis-server, and how to talk to it where these ask for more. */
export interface RedisServerOptions {
  readonly arguments?: readonly string[];
  /** Needed where the arguments ask for a password. */
  readonly password?: string;
  /** The port is TLS's, by these arguments; `ca` is the certificate to trust. */
  readonly tls?: readonly string[];
  readonly ca?: Buffer;
  /** It is a sentinel that watches the server on this port as `mymaster`. */
  readonly sentinelOf?: number;
}

/** A real redis-server on a port and in a folder of its own; gone at the end of the test. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly folder: string;
  /** To look and to set up; not what is tested. */
  readonly client: Redis;
  readonly #options: RedisServerOptions;
  #server: ChildProcess | undefined;

  private constructor(port: number, folder: string, options: RedisServerOptions) {
    this.port = port;
    this.folder = folder;
    this.#options = options;
    const { password, ca } = options;
    this.client = new Redis({
      port,
      password,
      ...(ca && { tls: { ca, servername: 'localhost' } }),
      lazyConnect: true,
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
    });
    this.client.on('error', () => {});
  }

  static async start(options: RedisServerOptions = {}, folder = newFolder()): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), folder, options);
    await server.start();
    return server;
  }

  /** Without anything that is secret. */
  get url(): string {
    return `redis://127.0.0.1:${this.port}/0`;
  }

  /** Starts it, with the data that it had written to its disk; resolves once it answers. */
  async start(): Promise<void> {
    const { tls, arguments: more = [] } = this.#options;
    const ports = tls
      ? ['--port', '0', '--tls-port', String(this.port), ...tls]
      : ['--port', String(this.port)];
    const place = ['--dir', this.folder, '--bind', '127.0.0.1', ...ports];
    const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    const args = [...place, ...durable, ...more];
    this.#server = spawn('redis-server', this.#sentinelArguments(place) ?? args, { stdio: 'ignore' });
    this.#server.on('error', () => {});
    if (this.client.status === 'wait') await this.client.connect().catch(() => {});
    // Another server's word for a moment, while the old one's port is being taken over, is none.
    for (;;) {
      if ((await this.client.ping().catch(() => '')) === 'PONG') return;
      await pause(20);
    }
  }

  // A sentinel writes to its configuration, which therefore is a file.
  #sentinelArguments(place: readonly string[]): string[] | undefined {
    const { sentinelOf } = this.#options;
    if (sentinelOf === undefined) return undefined;
    const file = join(this.folder, 'sentinel.conf');
    writeFileSync(file, `sentinel monitor mymaster 127.0.0.1 ${sentinelOf} 1\n`);
    return [file, '--sentinel', ...place];
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.kill('SIGCONT');
    server.kill('SIGKILL');
    await once(server, 'exit');
  }

  /** It stays, and says nothing any more. */
  stop(): void {
    this.#server?.kill('SIGSTOP');
  }

  resume(): void {
    this.#server?.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.disconnect();
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'podio-redis-'));
}

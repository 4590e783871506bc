import type { ChildProcess } from 'node:child_process';
import type { SandboxOptions } from '../../src/sandbox/sandbox.ts';
import { type Outcome, outcome, World } from './cli.ts';
import { NOTHING_SET, succeeds } from './commands.ts';
import { RedisServer, type RedisServerOptions } from './redis.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What nobody has set who has logged in before: the identity remembers its manager. */
const LATER: Env = { ...NOTHING_SET, PODIO_SESSION_MANAGER: undefined };

/** A world and a Redis, and commands run as processes that have nothing in their environment but what is said. */
export class RedisWorld implements AsyncDisposable {
  readonly world: World;
  readonly server: RedisServer;

  private constructor(world: World, server: RedisServer) {
    this.world = world;
    this.server = server;
  }

  static async create(sandbox: SandboxOptions = {}, redis: RedisServerOptions = {}): Promise<RedisWorld> {
    return new RedisWorld(await World.create(sandbox), await RedisServer.start(redis));
  }

  /** App 123456 has logged in with its session in this Redis, and what that sent is forgotten. */
  static async loggedIn(sandbox?: SandboxOptions, redis?: RedisServerOptions): Promise<RedisWorld> {
    const made = await RedisWorld.create(sandbox, redis);
    succeeds(await made.logIn());
    made.world.sandbox.clearSeen();
    return made;
  }

  logIn(url = this.server.url, env: Env = {}): Promise<Outcome> {
    const words = ['login', '--app', '--session-manager', url];
    return this.world.run(words, { env: { PODIO_SESSION_MANAGER: undefined, ...env } });
  }

  podio(words: readonly string[], env: Env = {}): Promise<Outcome> {
    return this.world.run(words, { env: { ...LATER, ...env } });
  }

  start(words: readonly string[]): ChildProcess {
    return this.world.start(words, { env: LATER });
  }

  /** A command, and how long it took in milliseconds. */
  async timed(words: readonly string[], env: Env = {}): Promise<Outcome & { readonly took: number }> {
    const since = performance.now();
    const ended = await outcome(this.world.start(words, { env: { ...LATER, ...env } }));
    return { ...ended, took: performance.now() - since };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.world[Symbol.asyncDispose]();
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import type { Io } from '../../src/cli/io.ts';
import { main } from '../../src/cli/main.ts';
import { environment, type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/sandbox.ts';
import { leakedIn } from './canary.ts';

/** The commands whose standard output is a secret, or an answer in which Podio may put one. */
const TELLING = /^(?:token|sandbox|sessions export|call (?:GET )?\/(?:app|sandbox)\/)/;

/** What a command did. */
export interface Outcome {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a command: what it finds in its environment beside PATH and HOME, and what it reads. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  readonly io?: Partial<Io>;
}

/** The packed program's own start file; built by `npm run build`. */
export const BIN = resolve(import.meta.dirname, '../../bin/podio.js');

/** An empty HOME and a sandbox, and `podio` run in them; both gone at the end of the test. */
export class World implements AsyncDisposable {
  readonly home = mkdtempSync(join(tmpdir(), 'podio-test-'));
  readonly sandbox: Sandbox;
  readonly #started: ChildProcess[] = [];

  private constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
  }

  static async create(options: SandboxOptions = {}): Promise<World> {
    return new World(await startSandbox(options));
  }

  /** The environment of a command: nothing of the tester's own but PATH. The file manager, unless said otherwise. */
  env(more: RunOptions['env'] = {}): Record<string, string> {
    const all = {
      PATH: process.env.PATH,
      HOME: this.home,
      PODIO_SESSION_MANAGER: 'file',
      ...environment(this.sandbox),
      ...more,
    };
    return Object.fromEntries(
      Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
  }

  /** Runs a command line in this process. */
  async podio(argv: readonly string[], { env, stdin = '', io = {} }: RunOptions = {}): Promise<Outcome> {
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    const [out, err] = [text(stdout), text(stderr)];
    const { signal } = new AbortController();
    const exit = await main(argv, {
      stdin: Readable.from([Buffer.from(stdin)]),
      stdout,
      stderr,
      env: this.env(env),
      now: Date.now,
      signal,
      ...io,
    });
    stdout.end();
    stderr.end();
    return this.#withoutSecrets(argv, { exit, stdout: await out, stderr: await err });
  }

  /** Starts a command line as a process of its own. */
  start(argv: readonly string[], { env, stdin }: RunOptions = {}): ChildProcess {
    const child = spawn(process.execPath, [BIN, ...argv], {
      env: this.env(env),
      cwd: this.home,
    });
    this.#started.push(child);
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
    return child;
  }

  /** Runs a command line as a process of its own. */
  async run(argv: readonly string[], options?: RunOptions): Promise<Outcome> {
    return this.#withoutSecrets(argv, await outcome(this.start(argv, options)));
  }

  // The canary of the whole suite: whatever a test is about, no command tells a secret.
  #withoutSecrets(argv: readonly string[], ended: Outcome): Outcome {
    const told = TELLING.test(argv.join(' ')) ? ended.stderr : ended.stdout + ended.stderr;
    const leaked = leakedIn(told, this.sandbox.secrets);
    if (leaked.length > 0) throw new Error(`podio ${argv.join(' ')} told ${leaked.join(', ')}: ${told}`);
    return ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // One that a failed test has stopped would wait for ever, and the tests with it.
    for (const child of this.#started) child.kill('SIGKILL');
    await this.sandbox.close();
    // What a test has ended may write its last words there yet.
    rmSync(this.home, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** What a started process does in the end; death by a signal counts as 128 and more, as in a shell. */
export async function outcome(child: ChildProcess): Promise<Outcome> {
  const [out, err] = [text(child.stdout), text(child.stderr)];
  const exit = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 128)));
  });
  return { exit, stdout: await out, stderr: await err };
}

async function text(stream: Readable | null): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { BIN, type RunOptions, type World } from './cli.ts';

const IS_ROOT = process.geteuid?.() === 0;
const PAGE = 4096;

/** A world whose HOME is a real, small file system. It is mounted for its own processes only, and goes with them. */
export class SmallDisk implements AsyncDisposable {
  readonly #world: World;
  readonly #holder: ChildProcess;

  private constructor(world: World, holder: ChildProcess) {
    this.#world = world;
    this.#holder = holder;
  }

  /** `options` as mount's: `size=64k`. */
  static async mount(world: World, options: string): Promise<SmallDisk> {
    const script = 'mount -t tmpfs -o "$1" tmpfs "$0" && echo mounted && exec cat';
    const args = [IS_ROOT ? '-m' : '-rm', 'sh', '-c', script, world.home, options];
    const holder = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const [said] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'close')]);
    assert.equal(
      String(said),
      'mounted\n',
      'a tmpfs must be mounted: run the tests as root, or allow user namespaces',
    );
    return new SmallDisk(world, holder);
  }

  /** A path of the world as it is seen from outside. */
  path(inside: string): string {
    return `/proc/${this.#holder.pid}/root${inside}`;
  }

  /** Starts a command line as a process that has this disk. */
  start(argv: readonly string[], { env }: RunOptions = {}): ChildProcess {
    const place = [
      '-t',
      String(this.#holder.pid),
      '-m',
      ...(IS_ROOT ? [] : ['-U', '--preserve-credentials']),
    ];
    const child = spawn('nsenter', [...place, process.execPath, BIN, ...argv], {
      env: this.#world.env(env),
      cwd: '/',
    });
    child.stdin.end();
    return child;
  }

  /** Leaves room for so many pages, and not for a byte more. */
  fill(pagesLeft = 0): void {
    const filler = this.#filler;
    const fd = openSync(filler, 'a');
    for (const size of [64 * PAGE, PAGE]) while (isWritten(fd, size));
    closeSync(fd);
    truncateSync(filler, statSync(filler).size - pagesLeft * PAGE);
  }

  empty(): void {
    rmSync(this.#filler, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#holder, 'close');
    this.#holder.stdin?.end();
    await closed;
  }

  get #filler(): string {
    return join(this.path(this.#world.home), 'filler');
  }
}

function isWritten(fd: number, size: number): boolean {
  try {
    return writeSync(fd, Buffer.alloc(size)) === size;
  } catch {
    return false;
  }
}

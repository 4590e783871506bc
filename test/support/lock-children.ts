import { type ChildProcess, fork } from 'node:child_process';
import { on } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LockOrder } from './lock-child.ts';

const SCRIPT = fileURLToPath(new URL('lock-child.ts', import.meta.url));
const started = new Set<ChildProcess>();

/** A running lock-child.ts: `tell` gives it an order, `hear` brings its next answer. */
export class LockChild {
  readonly process: ChildProcess;
  readonly #inbox: AsyncIterator<unknown[]>;

  private constructor(process: ChildProcess) {
    this.process = process;
    this.#inbox = on(process, 'message', { close: ['exit'] });
    started.add(process);
  }

  /** Started and ready. */
  static async start(...args: string[]): Promise<LockChild> {
    const child = new LockChild(fork(SCRIPT, args, { execArgv: ['--import', 'tsx'] }));
    await child.hear();
    return child;
  }

  static startMany(count: number, ...args: string[]): Promise<LockChild[]> {
    return Promise.all(Array.from({ length: count }, () => LockChild.start(...args)));
  }

  static killAll(): void {
    for (const child of started) child.kill('SIGKILL');
  }

  get pid(): number {
    return this.process.pid ?? Number.NaN;
  }

  tell(order: LockOrder): void {
    this.process.send(order);
  }

  async hear(): Promise<unknown> {
    const { value, done } = await this.#inbox.next();
    if (done) throw new Error(`process ${this.pid} of the lock test ended early`);
    return value[0];
  }

  ask(order: LockOrder): Promise<unknown> {
    this.tell(order);
    return this.hear();
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** A real proxy (tinyproxy) on 127.0.0.1; gone at the end of the test. */
export class RealProxy implements AsyncDisposable {
  readonly port: number;
  readonly #log: string;
  readonly #child: ChildProcess;

  private constructor(port: number, log: string, child: ChildProcess) {
    this.port = port;
    this.#log = log;
    this.#child = child;
  }

  /** Its files go to the folder; `login` is the name and password that it wants. */
  static async start(folder: string, login?: string): Promise<RealProxy> {
    const port = await freePort();
    const [file, log] = [join(folder, 'tinyproxy.conf'), join(folder, 'tinyproxy.log')];
    const lines = [`Port ${port}`, 'Listen 127.0.0.1', `LogFile "${log}"`, 'LogLevel Connect', 'Timeout 60'];
    writeFileSync(file, [...lines, ...(login === undefined ? [] : [`BasicAuth ${login}`]), ''].join('\n'));
    const child = spawn('tinyproxy', ['-d', '-c', file], { stdio: 'ignore' });
    const proxy = new RealProxy(port, log, child);
    for (let tries = 0; !(await isListening(port)); tries++) {
      if (tries > 200) throw new Error('tinyproxy does not listen');
      await pause(50);
    }
    return proxy;
  }

  /** What it has been asked for. */
  get asked(): string[] {
    const log = existsSync(this.#log) ? readFileSync(this.#log, 'utf8') : '';
    return log.match(/CONNECT \S+/g) ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await once(this.#child, 'close');
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.once('connect', () => socket.end());
  });
}

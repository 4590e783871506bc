import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

/** A real terminal (tmux) in which a shell runs; gone at the end of the test. */
export class Terminal implements Disposable {
  readonly #socket = `podio-test-${process.pid}-${Math.random().toString(36).slice(2)}`;

  constructor({
    env,
    cwd,
    columns = 100,
  }: { env: Readonly<Record<string, string>>; cwd: string; columns?: number }) {
    const size = ['-x', String(columns), '-y', '40'];
    const command = [
      'env',
      '-i',
      ...Object.entries({ TERM: 'screen-256color', ...env }).map(([k, v]) => `${k}=${v}`),
    ];
    this.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, '-c', cwd, ...command, 'PS1=READY> ', 'sh');
  }

  /** Types the text, then Enter. */
  type(text: string): void {
    if (text !== '') this.#tmux('send-keys', '-l', text);
    this.#tmux('send-keys', 'Enter');
  }

  /** Presses a key by tmux's name for it: `C-c`, `Down`. */
  press(key: string): void {
    this.#tmux('send-keys', key);
  }

  /** What the screen shows, colours left out; with them where asked for. */
  screen(withColors = false): string {
    return this.#tmux('capture-pane', '-p', '-J', '-S', '-', ...(withColors ? ['-e'] : []));
  }

  /** The screen as soon as it shows this. @throws where it does not within 10 s. */
  async shows(what: RegExp): Promise<string> {
    const deadline = performance.now() + 10_000;
    for (;;) {
      const screen = this.screen();
      if (what.test(screen)) return screen;
      if (performance.now() > deadline) throw new Error(`the terminal never showed ${what}:\n${screen}`);
      await pause(50);
    }
  }

  [Symbol.dispose](): void {
    this.#tmux('kill-server');
  }

  #tmux(...args: readonly string[]): string {
    return execFileSync('tmux', ['-L', this.#socket, ...args], { encoding: 'utf8' });
  }
}

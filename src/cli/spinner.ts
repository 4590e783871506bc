import { takesSigns } from './color.ts';
import type { Io } from './io.ts';

const PATIENCE_MS = 500;
const TURN_MS = 100;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
const PLAIN_FRAMES = ['|', '/', '-', '\\'] as const;

/**
 * Does the work, and shows on standard error what is going on if it takes longer than half a second: where both streams
 * are terminals, and gone before the work's end is seen. The cursor is never hidden, so it need not be brought back.
 * `stop` takes it away early, for work that is about to ask something.
 */
export async function withSpinner<T>(
  io: Io,
  text: string,
  work: (stop: () => void) => Promise<T>,
): Promise<T> {
  if (!takesSpinner(io)) return work(() => {});
  const spinner = new Spinner(io, text);
  const stop = () => spinner.stop();
  io.signal.addEventListener('abort', stop, { once: true });
  try {
    return await work(stop);
  } finally {
    stop();
    io.signal.removeEventListener('abort', stop);
  }
}

function takesSpinner({ stdout, stderr, env, manner }: Io): boolean {
  const isWatched = stdout.isTTY === true && stderr.isTTY === true;
  return isWatched && env.TERM !== 'dumb' && !env.CI && manner?.json !== true;
}

class Spinner {
  readonly #io: Io;
  readonly #text: string;
  readonly #timer: NodeJS.Timeout;
  #turns = 0;

  constructor(io: Io, text: string) {
    this.#io = io;
    this.#text = text;
    const first = PATIENCE_MS / TURN_MS;
    this.#timer = setInterval(() => ++this.#turns >= first && this.#draw(), TURN_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    if (this.#turns >= PATIENCE_MS / TURN_MS) this.#io.stderr.write('\r\u001b[K');
    this.#turns = 0;
  }

  // One line at most: a longer one could not be taken away again.
  #draw(): void {
    const { stderr } = this.#io;
    const frames = takesSigns(this.#io) ? FRAMES : PLAIN_FRAMES;
    const line = `${frames[this.#turns % frames.length]} ${this.#text}`.slice(0, (stderr.columns ?? 80) - 1);
    stderr.write(`\r${line}\u001b[K`);
  }
}

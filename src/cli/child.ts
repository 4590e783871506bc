import { constants } from 'node:os';
import { forOthers } from './environment.ts';
import type { Io } from './io.ts';
import { say, visible } from './output.ts';

/** A command of the user's that podio runs. */
export interface ChildCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** What it finds in its environment beside the user's own, of which the login's variables are taken out. */
  readonly env: Readonly<Record<string, string>>;
}

/** Every signal by which one asks a program for something; SIGINT and SIGQUIT come from the keyboard too. */
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;
const FROM_KEYBOARD: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH'];

/**
 * Runs a command on our own streams, passes every signal on to it, and resolves with the exit code that a shell would
 * give it: its own, 128 and more for a death by a signal, 126 where it cannot be run, 127 where it is not there.
 */
export async function runChild(io: Io, { file, args, env }: ChildCommand): Promise<number> {
  io.signal.throwIfAborted();
  const { execa } = await import('execa');
  const child = execa(file, args, {
    stdio: 'inherit',
    env: { ...forOthers(io.env), ...env },
    extendEnv: false,
    reject: false,
    // It would end us by the signal that we pass on, before the command has ended.
    cleanup: false,
  });
  using _ = passingSignals((signal) => {
    // A key at the terminal reaches the child by itself; what was sent to us alone is passed on.
    if (!FROM_KEYBOARD.includes(signal) || !io.stdin.isTTY) child.kill(signal);
  });
  const { exitCode, signal, code } = await child;
  if (signal !== undefined) return 128 + constants.signals[signal];
  if (exitCode !== undefined) return exitCode;
  return tellWhy(io, file, code ?? 'unknown trouble');
}

// While there is a listener, no signal ends this process: how it ends is the child's word alone.
function passingSignals(pass: (signal: NodeJS.Signals) => void): Disposable {
  for (const signal of PASSED_ON) process.on(signal, pass);
  return {
    [Symbol.dispose]() {
      for (const signal of PASSED_ON) process.off(signal, pass);
    },
  };
}

function tellWhy(io: Io, file: string, code: string): number {
  say(io, visible(`podio: cannot run ${file} (${code})`));
  say(io, 'hint: check that it is there and may be run: command -v NAME, ls -l FILE');
  return code === 'ENOENT' ? 127 : 126;
}

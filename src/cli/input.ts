import { Failure, UsageError } from '../errors.ts';
import { quoted } from '../values/quoted.ts';
import type { Input, Io } from './io.ts';

/** What an option's value stands for: `@-` is standard input, `@FILE` the file, anything else itself. @throws {UsageError} */
export async function readArgument(io: Io, value: string, option: string): Promise<string> {
  if (value === '@-') return readStdin(io, option);
  return value.startsWith('@') ? readTextFile(io, value.slice(1), option) : value;
}

/** The whole of standard input. @throws {UsageError} where there is nobody to type it and nothing to read. */
export async function readStdin(io: Io, option: string): Promise<string> {
  const stdin = openStdin(io, option);
  const chunks: Buffer[] = [];
  const stop = () => stdin.destroy(io.signal.reason);
  io.signal.addEventListener('abort', stop, { once: true });
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  io.signal.removeEventListener('abort', stop);
  return Buffer.concat(chunks).toString();
}

/** Standard input, to be read by one option. @throws {UsageError} where it is the terminal, or has been read. */
export function openStdin({ stdin }: Io, option: string): Input {
  if (stdin.isTTY) {
    throw new UsageError(`${option} reads standard input, which is the terminal`, {
      hint: `pipe it in, as in: podio … ${option} < FILE`,
    });
  }
  if (stdin.readableEnded) {
    throw new UsageError(`${option}: standard input has been read by another option already`, {
      hint: 'put one of the two in a file',
    });
  }
  return stdin;
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
};

/** What work brings, unless a signal ends the waiting: opening a pipe that nobody writes to does not end by itself. */
export function unlessStopped<T>({ signal }: Pick<Io, 'signal'>, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** The text of a file that the user names; a pipe (`<(…)`) will do. @throws {UsageError} */
export async function readTextFile(io: Io, file: string, option: string): Promise<string> {
  try {
    const { readFile } = await import('node:fs/promises');
    return await unlessStopped(io, readFile(file, 'utf8'));
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown trouble';
    throw new UsageError(`${option}: cannot read ${file}: ${WHY[code] ?? code}`, {
      hint: `see whether it is there and yours to read: ls -l ${quoted(file)}`,
      cause,
    });
  }
}

/** A secret as a file or a pipe brings it: one line end at its end is not part of it. @throws {UsageError} where it is empty. */
export function asSecret(text: string, option: string): string {
  const secret = text.replace(/\r?\n$/, '');
  if (secret !== '') return secret;
  throw new UsageError(`${option}: what was read is empty`, {
    hint: 'put the secret there, in one line, and nothing else',
  });
}

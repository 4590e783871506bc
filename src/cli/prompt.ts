import { Failure, InterruptedError } from '../errors.ts';
import type { Io } from './io.ts';
import { say } from './output.ts';
import type { Answer } from './plain-prompt.ts';

export type { Answer };

/** Takes out of a text what is meant by it. @throws {Failure} where it cannot be an answer. */
type Read = (text: string) => string;

/** What a line of text is asked with. */
export interface AskOptions {
  /** Stands there already, to be bettered. */
  readonly before?: string | undefined;
  readonly read?: Read | undefined;
}

/** Whether there is a person to ask: both ends of the conversation are a terminal. */
export function isInteractive({ stdin, stderr }: Io): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
}

/** Asks for a line of text. @throws {InterruptedError} on ^C. */
export async function ask(io: Io, message: string, { before, read }: AskOptions = {}): Promise<string> {
  if (isPlain(io)) return (await import('./plain-prompt.ts')).askPlainly(io, message, judge(read));
  const { text } = await import('@clack/prompts');
  const known = before === undefined ? {} : { initialValue: before };
  return answered(await text({ message, validate: judge(read), ...known, ...streams(io) }));
}

/** Asks for a secret, which is not shown as it is typed. @throws {InterruptedError} on ^C. */
export async function askHidden(io: Io, message: string, read?: Read): Promise<string> {
  const hidden = `${message} (not shown)`;
  if (isPlain(io)) return (await import('./plain-prompt.ts')).askPlainlyHidden(io, hidden, judge(read));
  const { password } = await import('@clack/prompts');
  return answered(await password({ message: hidden, validate: judge(read), ...streams(io) }));
}

/** Lets one of several be chosen. @throws {InterruptedError} on ^C. */
export async function choose<T extends string>(
  io: Io,
  message: string,
  answers: readonly Answer<T>[],
): Promise<T> {
  const options = answers.map(({ value, label }) => ({ value: String(value), label }));
  const chosen = isPlain(io)
    ? await (await import('./plain-prompt.ts')).choosePlainly(io, message, options)
    : await chosenFrom(io, message, options);
  const answer = answers.find(({ value }) => value === chosen);
  if (answer === undefined) throw new InterruptedError('SIGINT');
  return answer.value;
}

/** Tells a person what to know before a question, in lines that the terminal has room for. */
export async function explain(io: Io, text: string): Promise<void> {
  const { default: wrapAnsi } = await import('wrap-ansi');
  const width = Math.min(io.stderr.columns ?? 80, 80);
  if (isPlain(io)) return say(io, wrapAnsi(text, width));
  const { log } = await import('@clack/prompts');
  log.message(wrapAnsi(text, width - GUIDE.length), { output: io.stderr });
}

// What stands before each line of a conversation.
const GUIDE = '│  ';

async function chosenFrom(io: Io, message: string, options: Answer<string>[]): Promise<string> {
  const { select } = await import('@clack/prompts');
  return answered(await select({ message, options, ...streams(io) }));
}

// A terminal without cursor may be a screen reader: it gets lines and nothing that is drawn over.
function isPlain({ env }: Io): boolean {
  return env.TERM === 'dumb';
}

function streams({ stdin, stderr, signal }: Io) {
  return { input: stdin, output: stderr, signal };
}

function judge(read: Read = (text) => text) {
  return (value: string | undefined): string | undefined => {
    if (!value?.trim()) return 'Please type it, or press ^C to stop';
    try {
      read(value);
      return undefined;
    } catch (error) {
      if (error instanceof Failure) return error.message.replace(/^./, (first) => first.toUpperCase());
      throw error;
    }
  };
}

// clack answers ^C with a symbol.
function answered(answer: string | symbol): string {
  if (typeof answer === 'symbol') throw new InterruptedError('SIGINT');
  return answer;
}

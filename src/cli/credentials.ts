import { UsageError } from '../errors.ts';
import { asSecret, readStdin, readTextFile } from './input.ts';
import type { Io } from './io.ts';
import { type Answer, ask, askHidden, choose, explain, isInteractive } from './prompt.ts';

/** One thing that login has to know, and the ways in which it can be told. */
export interface Question {
  /** What it is, in the middle of a sentence: `the app token`. */
  readonly what: string;
  /** How to answer it without a terminal: options and variable. */
  readonly ways: string;
  readonly isSecret?: boolean;
  /** What a person has to know to find the answer, in whole sentences. */
  readonly where?: string | undefined;
  /** Answers that were good before; another one can be given in their place. */
  readonly choices?: readonly Answer<string>[];
  /** What was answered before, to be bettered. */
  readonly before?: string;
  /** Takes out of what was told what is meant by it. @throws {UsageError} where it cannot be an answer. */
  readonly read?: (text: string) => string;
}

/** An answer, and whether a person has just typed it: such a one can be asked again. */
export interface Told {
  readonly text: string;
  readonly isTyped: boolean;
}

/** Whom one can ask. */
export interface Asking {
  readonly io: Io;
  readonly mayAsk: boolean;
}

/** The first of the known answers; else the person at the terminal is asked. @throws {UsageError} where there is nobody to ask. */
export async function answerTo(
  question: Question,
  known: readonly (string | undefined)[],
  asking: Asking,
): Promise<Told> {
  const { read = (text) => text, what, ways, isSecret } = question;
  const answer = known.find((value) => value !== undefined && value !== '');
  // A secret from a file or a variable is taken as it stands there.
  if (answer !== undefined) return { text: isSecret ? answer : read(answer), isTyped: false };
  if (!asking.mayAsk || !isInteractive(asking.io)) {
    throw new UsageError(`${what} is missing`, { hint: `give it with ${ways}` });
  }
  return { text: read(await typed(question, asking.io)), isTyped: true };
}

async function typed(
  { what, isSecret, where, choices = [], before, read }: Question,
  io: Io,
): Promise<string> {
  const message = what.replace(/^the (.)/, (_, first: string) => first.toUpperCase());
  if (choices.length > 0) {
    const other = { value: '', label: 'another one' };
    const chosen = await choose(io, `${message}?`, [...choices, other]);
    if (chosen !== '') return chosen;
  }
  if (where !== undefined) await explain(io, where);
  return isSecret ? askHidden(io, message, read) : ask(io, message, { before, read });
}

/** What was pasted, without the spaces and quotes that came along. */
export function unquoted(text: string): string {
  const bare = text.trim();
  return /^(["'`])(.*)\1$/s.exec(bare)?.[2]?.trim() ?? bare;
}

/** Where a secret may come from: standard input, or a file. */
export interface SecretSource {
  readonly stdin?: boolean | undefined;
  readonly file?: string | undefined;
  /** The options' common beginning: `--token` for --token-stdin and --token-file. */
  readonly option: string;
}

/** The secret that the options name; undefined where they name none. `-` as a file is standard input. @throws {UsageError} */
export async function secretFrom(io: Io, { stdin, file, option }: SecretSource): Promise<string | undefined> {
  if (stdin && file !== undefined)
    throw new UsageError(`${option}-stdin and ${option}-file cannot go together`);
  if (stdin) return asSecret(await readStdin(io, `${option}-stdin`), `${option}-stdin`);
  if (file === undefined) return undefined;
  const from = `${option}-file`;
  return asSecret(file === '-' ? await readStdin(io, `${from} -`) : await readTextFile(io, file, from), from);
}

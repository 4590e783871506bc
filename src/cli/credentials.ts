import { UsageError } from '../errors.ts';
import { asSecret, readStdin, readTextFile } from './input.ts';
import type { Io } from './io.ts';
import { ask, askHidden, isInteractive } from './prompt.ts';

/** One thing that login has to know, and the ways in which it can be told. */
export interface Question {
  /** What it is, in the middle of a sentence: `the app token`. */
  readonly what: string;
  /** How to answer it without a terminal: options and variable. */
  readonly ways: string;
  readonly isSecret?: boolean;
}

/** The first of the known answers; else the person at the terminal is asked. @throws {UsageError} where there is nobody to ask. */
export async function answerTo(
  question: Question,
  known: readonly (string | undefined)[],
  { io, mayAsk }: { io: Io; mayAsk: boolean },
): Promise<string> {
  const answer = known.find((value) => value !== undefined && value !== '');
  if (answer !== undefined) return answer;
  if (!mayAsk || !isInteractive(io)) {
    throw new UsageError(`${question.what} is missing`, {
      hint: `give it with ${question.ways}`,
    });
  }
  const message = question.what.replace(/^the (.)/, (_, first: string) => first.toUpperCase());
  return question.isSecret ? askHidden(io, message) : ask(io, message);
}

/** Where a secret may come from: standard input, or a file. */
export interface SecretSource {
  readonly stdin?: boolean | undefined;
  readonly file?: string | undefined;
  /** The options' common beginning: `--token` for --token-stdin and --token-file. */
  readonly option: string;
}

/** The secret that the options name; undefined where they name none. @throws {UsageError} */
export async function secretFrom(io: Io, { stdin, file, option }: SecretSource): Promise<string | undefined> {
  if (stdin && file !== undefined)
    throw new UsageError(`${option}-stdin and ${option}-file cannot go together`);
  if (stdin) return asSecret(await readStdin(io, `${option}-stdin`), `${option}-stdin`);
  if (file !== undefined) return asSecret(await readTextFile(file, `${option}-file`), `${option}-file`);
  return undefined;
}

import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { InterruptedError } from '../errors.ts';
import type { Io } from './io.ts';
import { say } from './output.ts';

/** One of several answers to choose from. */
export interface Answer<T extends string> {
  readonly value: T;
  readonly label: string;
}

/** Says what is wrong with an answer; undefined where it will do. */
type Judge = (text: string) => string | undefined;

/** Asks for a line of text on a terminal that can do nothing but lines. @throws {InterruptedError} on ^C. */
export function askPlainly(io: Io, message: string, judge: Judge): Promise<string> {
  return untilGood(io, judge, () => line(io, message, false));
}

/** As `askPlainly`, for a secret: nothing is shown as it is typed. */
export function askPlainlyHidden(io: Io, message: string, judge: Judge): Promise<string> {
  return untilGood(io, judge, () => line(io, message, true));
}

/** Lets one of several be chosen by its number. @throws {InterruptedError} on ^C. */
export async function choosePlainly(
  io: Io,
  message: string,
  answers: readonly Answer<string>[],
): Promise<string> {
  say(io, message);
  for (const [at, { label }] of answers.entries()) say(io, `${at + 1}. ${label}`);
  const judge = (text: string) => (answers[Number(text) - 1] ? undefined : `1 to ${answers.length}, please`);
  const chosen = await untilGood(io, judge, () => line(io, 'Number', false));
  return answers[Number(chosen) - 1]?.value ?? '';
}

async function untilGood(io: Io, judge: Judge, next: () => Promise<string>): Promise<string> {
  for (;;) {
    const text = await next();
    const wrong = judge(text);
    if (wrong === undefined) return text;
    say(io, wrong);
  }
}

function line({ stdin, stderr, signal }: Io, message: string, isHidden: boolean): Promise<string> {
  stderr.write(`${message}: `);
  // What is typed is shown by the terminal itself, unless the interface takes it over and writes it nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, written) => written() });
  const lines = createInterface({ input: stdin, output: nowhere, terminal: isHidden });
  // An Enter that ended a hidden line was not shown, and ^C is no Enter.
  let isOpen = true;
  return new Promise<string>((resolve, reject) => {
    const stop = () => reject(new InterruptedError('SIGINT'));
    signal.addEventListener('abort', stop, { once: true });
    lines.once('line', () => {
      isOpen = isHidden;
    });
    lines.once('SIGINT', stop).once('line', resolve).once('close', stop);
  }).finally(() => {
    lines.close();
    if (isOpen) stderr.write('\n');
  });
}

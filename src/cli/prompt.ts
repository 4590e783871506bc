import { InterruptedError } from '../errors.ts';
import type { Io } from './io.ts';

/** One of several answers to choose from. */
export interface Answer<T extends string> {
  readonly value: T;
  readonly label: string;
}

/** Whether there is a person to ask: both ends of the conversation are a terminal. */
export function isInteractive({ stdin, stderr }: Io): boolean {
  return stdin.isTTY === true && stderr.isTTY === true;
}

/** Asks for a line of text. @throws {InterruptedError} on ^C. */
export async function ask(io: Io, message: string): Promise<string> {
  const { text } = await import('@clack/prompts');
  return answered(await text({ message, validate: required, ...streams(io) }));
}

/** Asks for a secret, which is not shown as it is typed. @throws {InterruptedError} on ^C. */
export async function askHidden(io: Io, message: string): Promise<string> {
  const { password } = await import('@clack/prompts');
  return answered(
    await password({
      message: `${message} (not shown)`,
      validate: required,
      ...streams(io),
    }),
  );
}

/** Lets one of several be chosen. @throws {InterruptedError} on ^C. */
export async function choose<T extends string>(
  io: Io,
  message: string,
  answers: readonly Answer<T>[],
): Promise<T> {
  const { select } = await import('@clack/prompts');
  const options = answers.map(({ value, label }) => ({
    value: String(value),
    label,
  }));
  const chosen = answered(await select({ message, options, ...streams(io) }));
  const answer = answers.find(({ value }) => value === chosen);
  if (answer === undefined) throw new InterruptedError('SIGINT');
  return answer.value;
}

function streams({ stdin, stderr, signal }: Io) {
  return { input: stdin, output: stderr, signal };
}

function required(value: string | undefined): string | undefined {
  return value ? undefined : 'Please type it, or press ^C to stop';
}

// clack answers ^C with a symbol.
function answered(answer: string | symbol): string {
  if (typeof answer === 'symbol') throw new InterruptedError('SIGINT');
  return answer;
}

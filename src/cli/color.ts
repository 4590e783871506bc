import type { ColorChoice, Io, Output } from './io.ts';

/**
 * Whether to use colour on a stream, standard output unless told: https://no-color.org, FORCE_COLOR, CLICOLOR_FORCE,
 * and `--color` above them.
 */
export function isColorful(
  color: ColorChoice,
  io: Pick<Io, 'env' | 'stdout'>,
  stream: Output = io.stdout,
): boolean {
  const { env } = io;
  if (color !== 'auto') return color === 'always';
  if (env.NO_COLOR) return false;
  if (isForced(env.FORCE_COLOR) || isForced(env.CLICOLOR_FORCE)) return true;
  return stream.isTTY === true && env.TERM !== 'dumb';
}

function isForced(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0';
}

/** How something ended. */
export type Mark = 'done' | 'warning' | 'failed';

const SIGNS: Readonly<Record<Mark, string>> = { done: '✓', warning: '!', failed: '✗' };
const WORDS: Readonly<Record<Mark, string>> = { done: 'ok', warning: 'warning', failed: 'failed' };
const TINTS: Readonly<Record<Mark | 'hint', number>> = { done: 32, warning: 33, failed: 31, hint: 36 };

/** The mark for a stream: a sign, or a word where signs cannot be shown or heard. */
export function markFor(mark: Mark, io: Io, stream: Output): string {
  return tinted(takesSigns(io) ? SIGNS[mark] : WORDS[mark], mark, io, stream);
}

/** The text in the colour of its kind, where the stream takes colour. */
export function tinted(text: string, kind: Mark | 'hint', io: Io, stream: Output): string {
  const color = isColorful(io.manner?.color ?? 'auto', io, stream);
  return color ? `\u001b[${TINTS[kind]}m${text}\u001b[39m` : text;
}

/** Whether signs beyond ASCII can be shown: TERM=dumb may be a screen reader, and the locale may say otherwise. */
export function takesSigns({ env }: Pick<Io, 'env'>): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || 'UTF-8';
  return env.TERM !== 'dumb' && /utf-?8/i.test(locale);
}

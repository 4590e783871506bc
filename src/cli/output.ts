import type { Readable } from 'node:stream';
import { Failure } from '../errors.ts';
import { indented } from '../values/json-text.ts';
import { type Mark, markFor, takesSigns, tinted } from './color.ts';
import type { Io, Output } from './io.ts';

/** Whoever read our output has gone (`… | head`): a reason to end, and nothing to complain of. */
export class OutputClosed extends Error {}

/** Writes to a stream, no faster than it is read. @throws {OutputClosed} @throws {Failure} */
export function write(stream: Output, data: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(data, (error) => (error ? reject(closedOr(error)) : resolve()));
  });
}

/** Passes a stream on to standard output, byte for byte and no faster than it is read. @throws {OutputClosed} */
export function pass(body: Readable, { stdout }: Pick<Io, 'stdout'>): Promise<void> {
  return new Promise((resolve, reject) => {
    let written = Promise.resolve();
    const fail = (error: Error) => {
      reject(error);
      body.destroy();
    };
    // By events: the first iterator of a process takes as long as a hundred of them.
    if (body.errored) reject(body.errored);
    body.on('data', (chunk) => {
      body.pause();
      written = write(stdout, chunk);
      written.then(() => body.resume(), fail);
    });
    // It can come while the last piece is still being written.
    body.once('end', () => written.then(resolve, reject));
    body.once('error', reject);
    body.once('close', () => body.readableEnded || reject(body.errored ?? new Error('the body was closed')));
  });
}

/** One line of talk, on standard error. */
export function say(io: Io, text: string): void {
  io.stderr.write(`${text}\n`);
}

/** One line of talk that what was asked for is done; on a terminal with the mark for it. */
export function done(io: Io, text: string): void {
  say(io, marked(io, 'done', text));
}

/** One line of talk that something was tried in vain, and that it goes on. */
export function failed(io: Io, text: string): void {
  say(io, marked(io, 'failed', text));
}

// The words say it, too: where no sign can be shown, none is missed.
function marked(io: Io, mark: Mark, text: string): string {
  const sign = io.stderr.isTTY && takesSigns(io) ? `${markFor(mark, io, io.stderr)} ` : '';
  return sign + visible(text);
}

/** One line of talk that something is not as it should be. */
export function warn(io: Io, text: string): void {
  if (io.manner?.json) say(io, visible(JSON.stringify({ code: 'warning', message: text })));
  else say(io, `${tinted('podio: warning:', 'warning', io, io.stderr)} ${visible(text)}`);
}

/** An object as JSON on standard output, what a terminal would obey escaped as JSON does it. */
export function writeJson(io: Io, value: unknown): Promise<void> {
  return write(io.stdout, `${visibleLines(JSON.stringify(value, undefined, 2))}\n`);
}

function closedOr(error: NodeJS.ErrnoException): Error {
  if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') return new OutputClosed();
  return new Failure(`the output could not be written (${error.code ?? error.message})`, {
    hint: 'see that there is room where it goes, then try again',
    cause: error,
  });
}

// C0, DEL and C1, and what turns the direction of writing or hides in it: text from a server must not steer a terminal.
const UNSEEN = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

/** The text in one line, with the characters that a terminal would obey made visible. */
export function visible(text: string): string {
  return text.replace(UNSEEN, escaped);
}

/** As `visible`, with line ends and tabs left alone. */
export function visibleLines(text: string): string {
  return text.replace(UNSEEN, (character) =>
    character === '\n' || character === '\t' ? character : escaped(character),
  );
}

function escaped(character: string): string {
  const known = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character];
  return known ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** JSON for people: indented, its numbers as they came, safe for a terminal, coloured where asked for. Undefined where the text is no JSON. */
export function prettyJson(text: string, color: boolean): string | undefined {
  try {
    const pretty = visibleLines(indented(text));
    return color ? pretty.replace(TOKENS, paint) : pretty;
  } catch {
    return undefined;
  }
}

const TOKENS = /("(?:\\.|[^"\\])*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function paint(token: string, string: string | undefined, colon: string | undefined): string {
  if (colon !== undefined) return `\u001b[34m${string}\u001b[0m${colon}`;
  return string === undefined ? `\u001b[33m${token}\u001b[0m` : `\u001b[32m${token}\u001b[0m`;
}

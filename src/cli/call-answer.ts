import { brokenAnswer, failureOf } from '../client/failures.ts';
import { readWhole } from '../http/decoding.ts';
import type { HttpResponse } from '../http/http.ts';
import { isColorful } from './color.ts';
import type { Context } from './context.ts';
import type { Filter } from './jq.ts';
import { pass, prettyJson, visible, visibleLines, write } from './output.ts';

const OTHER_TOKEN = 'set PODIO_ACCESS_TOKEN to a good token, or unset it to use the stored session';
const LONGEST_ERROR = 1024 * 1024;
const LONGEST_SHOWN = 16 * 1024 * 1024;
const LONGEST_FILTERED = 64 * 1024 * 1024;

/** Prints an answer that refuses or fails as far as it is wanted on standard output, and throws what it stands for. */
export async function fail(
  context: Context,
  answer: HttpResponse,
  wanted: { readonly head: boolean; readonly body: boolean },
): Promise<never> {
  const tooLong = () => brokenAnswer(answer, `the API answered ${answer.status} with far too much text`);
  const text = (await readWhole(answer.body, LONGEST_ERROR, tooLong)).toString();
  if (wanted.head) await writeHead(context, answer);
  if (wanted.body && text !== '') await write(context.io.stdout, forReader(context, text));
  throw failureOf(answer, text, context.io.env.PODIO_ACCESS_TOKEN ? OTHER_TOKEN : undefined);
}

/** Prints status and headers as they came. */
export function writeHead({ io }: Context, { status, statusText, rawHeaders }: HttpResponse): Promise<void> {
  const lines = [`HTTP/1.1 ${status} ${statusText}`.trimEnd()];
  for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  return write(io.stdout, `${lines.map(visible).join('\r\n')}\r\n\r\n`);
}

/** Prints the body: as it comes, or, on a terminal, pretty and harmless. */
export async function writeBody(context: Context, answer: HttpResponse): Promise<void> {
  const { io } = context;
  if (!io.stdout.isTTY) return pass(answer.body, io);
  const tooLong = () =>
    brokenAnswer(answer, 'the answer is too long for a terminal; put it in a file with -o FILE');
  const text = (await readWhole(answer.body, LONGEST_SHOWN, tooLong)).toString();
  if (text !== '') await write(io.stdout, forReader(context, text));
}

/** What a filter makes of the body; of none, nothing. @throws {PodioError} where the body is no JSON. */
export async function filteredBody(answer: HttpResponse, filter: Filter): Promise<string> {
  const tooLong = () => brokenAnswer(answer, 'the answer is too long for --jq');
  const text = (await readWhole(answer.body, LONGEST_FILTERED, tooLong)).toString();
  if (text.trim() === '') return '';
  try {
    JSON.parse(text);
  } catch {
    throw brokenAnswer(answer, 'the answer is not JSON, so --jq cannot read it');
  }
  return filter.run(text);
}

/** The text as whoever reads standard output wants it: for a terminal pretty and harmless, else exactly as it came. */
export function forReader({ io, settings }: Context, text: string): string {
  if (!io.stdout.isTTY) return text;
  const pretty = prettyJson(text, isColorful(settings.color, io)) ?? visibleLines(text);
  return pretty.endsWith('\n') ? pretty : `${pretty}\n`;
}

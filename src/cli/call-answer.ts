import { brokenAnswer, failureOf } from '../client/failures.ts';
import { ConnectionError, Failure, UsageError } from '../errors.ts';
import { deadline } from '../http/deadline.ts';
import { drain, readWhole } from '../http/decoding.ts';
import type { HttpResponse } from '../http/http.ts';
import type { CallOptions } from './call-options.ts';
import type { Request } from './call-request.ts';
import { isColorful } from './color.ts';
import type { Context } from './context.ts';
import type { Filter } from './jq.ts';
import { pass, prettyJson, visible, visibleLines, write } from './output.ts';
import type { SaveOptions } from './save.ts';

/** What is to become of a good answer. */
export interface Delivery {
  readonly options: CallOptions;
  readonly request: Request;
  readonly filter: Filter | undefined;
  readonly saving: SaveOptions | undefined;
}

const OTHER_TOKEN = 'set PODIO_ACCESS_TOKEN to a good token, or unset it to use the stored session';
const LONGEST_ERROR = 1024 * 1024;
const LONGEST_SHOWN = 16 * 1024 * 1024;
const LONGEST_FILTERED = 64 * 1024 * 1024;
const LONGEST_SILENCED = 64 * 1024 * 1024;

/** Prints or keeps a good answer as the options say. @throws {Failure} where it breaks off or cannot be written. */
export async function deliver(
  context: Context,
  answer: HttpResponse,
  { options, request, filter, saving }: Delivery,
): Promise<void> {
  if (options.include) await writeHead(context, answer);
  if (options.silent) await drainInTime(answer, request);
  else if (saving) await keep(context, answer, { ...saving, path: request.path });
  else if (filter) await writeFiltered(context, await filteredBody(answer, filter), options);
  else await writeBody(context, answer);
}

/** How much of an answer that is an error belongs on standard output. */
export interface WantedOfError {
  readonly head: boolean;
  readonly body: boolean;
}

/** Where a filter or a file was asked for, standard output stays empty: what is read there must not be an error. */
export function wantedOfError(options: CallOptions): WantedOfError {
  const { output, remoteName, jq, include = false, silent = false } = options;
  const isElsewhere = output !== undefined || remoteName === true || jq !== undefined;
  return { head: include && !isElsewhere, body: !silent && !isElsewhere };
}

/** Prints an answer that refuses or fails as far as it is wanted on standard output, and throws what it stands for. */
export async function fail(context: Context, answer: HttpResponse, wanted: WantedOfError): Promise<never> {
  const tooLong = () => brokenAnswer(answer, `the API answered ${answer.status} with far too much text`);
  const text = (await readWhole(answer.body, LONGEST_ERROR, tooLong)).toString();
  if (wanted.head) await writeHead(context, answer);
  if (wanted.body && text !== '') await write(context.io.stdout, forReader(context, text));
  throw failureOf(answer, text, context.io.env.PODIO_ACCESS_TOKEN ? OTHER_TOKEN : undefined);
}

// Status and headers as they came.
function writeHead({ io }: Context, { status, statusText, rawHeaders }: HttpResponse): Promise<void> {
  const lines = [`HTTP/1.1 ${status} ${statusText}`.trimEnd()];
  for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  return write(io.stdout, `${lines.map(visible).join('\r\n')}\r\n\r\n`);
}

// As it comes, or, on a terminal, pretty and harmless.
async function writeBody(context: Context, answer: HttpResponse): Promise<void> {
  const { io } = context;
  if (!io.stdout.isTTY) return pass(answer.body, io);
  const tooLong = () =>
    brokenAnswer(answer, 'the answer is too long for a terminal; put it in a file with -o FILE');
  const text = (await readWhole(answer.body, LONGEST_SHOWN, tooLong)).toString();
  if (text !== '') await write(io.stdout, forReader(context, text));
}

// Of no body a filter makes nothing.
async function filteredBody(answer: HttpResponse, filter: Filter): Promise<string> {
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

/** Prints what a filter made, its strings without quotes where they are `raw`. */
export async function writeFiltered(context: Context, text: string, { raw }: CallOptions): Promise<void> {
  const { stdout } = context.io;
  if (!stdout.isTTY) return write(stdout, text);
  const lines = text.split('\n').slice(0, -1);
  await write(stdout, lines.map((line) => (raw ? `${visible(line)}\n` : forReader(context, line))).join(''));
}

/** The text as whoever reads standard output wants it: for a terminal pretty and harmless, else exactly as it came. */
export function forReader({ io, settings }: Context, text: string): string {
  if (!io.stdout.isTTY) return text;
  const pretty = prettyJson(text, isColorful(settings.color, io)) ?? visibleLines(text);
  return pretty.endsWith('\n') ? pretty : `${pretty}\n`;
}

async function drainInTime(answer: HttpResponse, { timeoutMs = 60_000 }: Request): Promise<void> {
  const end = () =>
    answer.body.destroy(new ConnectionError(`the answer did not end within ${timeoutMs / 1000} s`));
  const signal = deadline(timeoutMs);
  signal.addEventListener('abort', end, { once: true });
  await drain(answer.body, LONGEST_SILENCED);
  signal.removeEventListener('abort', end);
}

async function keep(
  { io }: Context,
  answer: HttpResponse,
  { path, ...saving }: SaveOptions & { readonly path: string },
): Promise<void> {
  const { remoteName, checkSavable, save } = await import('./save.ts');
  const disposition = answer.headers['content-disposition'];
  const file = saving.file || remoteName(path, disposition === undefined ? undefined : String(disposition));
  if (saving.file === '') await checkSavable({ ...saving, file }).catch(afterTheCall);
  await save(await watchedBody(io, answer), { ...saving, file }, io.signal);
}

// Exit code 2 would say that nothing was sent.
function afterTheCall(error: unknown): never {
  throw error instanceof UsageError ? new Failure(error.message, { hint: error.hint }) : error;
}

async function watchedBody(
  io: Context['io'],
  { body, headers }: HttpResponse,
): Promise<HttpResponse['body']> {
  if (io.stderr.isTTY !== true) return body;
  const { counted, Progress } = await import('./progress.ts');
  const total = headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
  return counted(body, new Progress(io, { what: 'received', unit: 'bytes', total }));
}

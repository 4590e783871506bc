import { finished } from 'node:stream/promises';
import type { Command } from 'commander';
import { brokenAnswer, failureOf } from '../../client/failures.ts';
import { resolveTarget } from '../../client/target.ts';
import { readWhole } from '../../http/decoding.ts';
import type { HttpResponse } from '../../http/http.ts';
import { type Request, type RequestOptions, readRequest } from '../call-request.ts';
import { isColorful } from '../color.ts';
import type { Context } from '../context.ts';
import { pass, prettyJson, say, visible, visibleLines, write } from '../output.ts';
import type { SaveOptions } from '../save.ts';
import type { CommandModule } from './command.ts';

interface CallOptions extends RequestOptions {
  readonly include?: boolean;
  readonly silent?: boolean;
  readonly output?: string;
  readonly clobber?: boolean;
  readonly verbose?: boolean;
}

const OTHER_TOKEN = 'set PODIO_ACCESS_TOKEN to a good token, or unset it to use the stored session';
const LONGEST_ERROR = 1024 * 1024;
const LONGEST_SHOWN = 16 * 1024 * 1024;

export const call: CommandModule<CallOptions> = { declare, run };

function declare(command: Command): Command {
  const collect = (value: string, before: readonly string[] = []) => [...before, value];
  return command
    .usage('[options] [METHOD] PATH')
    .argument('<path...>', 'GET, POST, PUT, DELETE …; then the path, sent exactly as written')
    .option('-f, --raw-field <k=v>', 'a field of the body (GET, DELETE: of the query), as text', collect)
    .option('-F, --field <k=v>', 'the same, typed: true, null, 42, [1], {"a":1}, @FILE, @-', collect)
    .option('-d, --data <json>', 'the whole body: JSON, @FILE, or @- for standard input')
    .option('-H, --header <name: value>', 'a header of the request', collect)
    .option('-i, --include', "print the answer's status and headers too")
    .option('--silent', "do not print the answer's body")
    .option('-o, --output <file>', 'put the body in a file')
    .option('--clobber', 'let --output replace a file')
    .option('--timeout <seconds>', 'how long the API may say nothing (60)')
    .addHelpText('after', EXAMPLES);
}

const EXAMPLES = `
Examples:
  podio call GET /item/123
  podio call /app/123456 | jq .config.name
  podio call POST /item/app/123456/ -F 'fields[title]=Hello' -F 'tags[]=new'
  podio call PUT /item/123 -d @item.json
  podio call DELETE /item/123
  podio call GET /file/42/raw -o photo.jpg

The method is GET unless a body is given, then POST. Exit codes: podio help exit-codes`;

async function run(context: Context, options: CallOptions, words: readonly string[]): Promise<undefined> {
  const request = await readRequest(context.io, options, words);
  // Before the client, which may log in: what cannot be sent sends nothing at all.
  resolveTarget(request.path, context.apiUrl());
  const saving = savingOf(options);
  if (saving) await (await import('../save.ts')).checkSavable(saving);
  const client = await context.client();
  const answer = await timed(context, request, (signal) => client.call({ ...request, signal }));
  if (answer.status >= 300) await fail(context, options, answer);
  if (options.include) await writeHead(context, answer);
  if (options.silent) await finished(answer.body.resume());
  else if (saving) await (await import('../save.ts')).save(answer.body, saving, context.io.signal);
  else await writeBody(context, answer);
}

function savingOf({ output, clobber = false }: CallOptions): SaveOptions | undefined {
  return output === undefined || output === '-' ? undefined : { file: output, clobber, option: '--output' };
}

// --verbose names what was sent and what came; of the headers only what holds no secret.
async function timed(
  { io, settings }: Context,
  { method, path }: Request,
  send: (signal: AbortSignal) => Promise<HttpResponse>,
): Promise<HttpResponse> {
  const since = io.now();
  if (settings.debug) say(io, `> ${method} ${visible(path)}`);
  const answer = await send(io.signal);
  if (settings.debug) say(io, `< ${answer.status} in ${io.now() - since} ms`);
  return answer;
}

// Where a filter or a file was asked for, standard output stays empty: what is read there must not be an error.
async function fail(context: Context, options: CallOptions, answer: HttpResponse): Promise<never> {
  const tooLong = () => brokenAnswer(answer, `the API answered ${answer.status} with far too much text`);
  const text = (await readWhole(answer.body, LONGEST_ERROR, tooLong)).toString();
  if (options.output === undefined) {
    if (options.include) await writeHead(context, answer);
    if (!options.silent && text !== '') await write(context.io.stdout, forReader(context, text));
  }
  throw failureOf(answer, text, context.io.env.PODIO_ACCESS_TOKEN ? OTHER_TOKEN : undefined);
}

function writeHead({ io }: Context, { status, statusText, rawHeaders }: HttpResponse): Promise<void> {
  const lines = [`HTTP/1.1 ${status} ${statusText}`.trimEnd()];
  for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  return write(io.stdout, `${lines.map(visible).join('\r\n')}\r\n\r\n`);
}

async function writeBody(context: Context, answer: HttpResponse): Promise<void> {
  const { io } = context;
  if (!io.stdout.isTTY) return pass(answer.body, io);
  const tooLong = () =>
    brokenAnswer(answer, 'the answer is too long for a terminal; put it in a file with -o FILE');
  const text = (await readWhole(answer.body, LONGEST_SHOWN, tooLong)).toString();
  if (text !== '') await write(io.stdout, forReader(context, text));
}

/** The text as whoever reads standard output wants it: for a terminal pretty and harmless, else exactly as it came. */
function forReader({ io, settings }: Context, text: string): string {
  if (!io.stdout.isTTY) return text;
  const pretty = prettyJson(text, isColorful(settings.color, io)) ?? visibleLines(text);
  return pretty.endsWith('\n') ? pretty : `${pretty}\n`;
}

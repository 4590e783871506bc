import type { Command, Option } from 'commander';
import type { PodioClient } from '../../client/podio-client.ts';
import { resolveTarget } from '../../client/target.ts';
import { ConnectionError, Failure, UsageError } from '../../errors.ts';
import { deadline } from '../../http/deadline.ts';
import { drain } from '../../http/decoding.ts';
import type { HttpResponse } from '../../http/http.ts';
import { fail, filteredBody, forReader, writeBody, writeHead } from '../call-answer.ts';
import { type Request, type RequestOptions, readRequest } from '../call-request.ts';
import type { Context } from '../context.ts';
import type { Filter } from '../jq.ts';
import { readNumber } from '../numbers.ts';
import { say, visible, write } from '../output.ts';
import type { SaveOptions } from '../save.ts';
import type { CommandModule } from './command.ts';

interface CallOptions extends RequestOptions {
  readonly include?: boolean;
  readonly silent?: boolean;
  readonly output?: string;
  readonly remoteName?: boolean;
  readonly clobber?: boolean;
  readonly jq?: string;
  readonly raw?: boolean;
  readonly paginate?: boolean;
  readonly limit?: string;
  readonly ndjson?: boolean;
  readonly retry?: string;
  readonly retryUnsafe?: boolean;
  readonly wait?: string;
  readonly dryRun?: boolean;
  readonly curl?: boolean;
  readonly json?: boolean;
}

type Send = (request: Request) => Promise<HttpResponse>;

const LONGEST_SILENCED = 64 * 1024 * 1024;
const USUAL_RETRIES = 2;

export const call: CommandModule<CallOptions> = { declare, run };

function declare(command: Command): Command {
  const collect = (value: string, before: readonly string[] = []) => [...before, value];
  return command
    .usage('[options] [METHOD] PATH')
    .argument('<path...>', 'GET, POST, PUT, DELETE …; then the path, sent exactly as written')
    .option('-f, --raw-field <k=v>', 'a field of the body (GET, DELETE: of the query), as text', collect)
    .option('-F, --field <k=v>', 'the same, typed: true, null, 42, [1], {"a":1}, @FILE, @-', collect)
    .option('-q, --query <k=v>', 'a parameter of the query', collect)
    .option('-d, --data <json>', 'the whole body: JSON, @FILE, or @- for standard input')
    .addOption(inputOption(command))
    .option(
      '--form <name=value>',
      'a part of a form: name=value, name=@FILE, or @FILE for an upload',
      collect,
    )
    .option('-H, --header <name: value>', 'a header of the request', collect)
    .option('-i, --include', "print the answer's status and headers too")
    .option('--silent', "do not print the answer's body")
    .option('--jq <filter>', 'print what jq makes of the answer, one result a line')
    .option('-r, --raw', 'with --jq: print strings without quotes')
    .option('--paginate', 'bring all pages of a list, as one array')
    .option('--limit <n>', 'with --paginate: so many items in all')
    .option('--ndjson', 'with --paginate: one item a line')
    .option('-o, --output <file>', 'put the body in a file')
    .option('-O, --remote-name', 'put the body in a file of the name that it comes with')
    .option('--clobber', 'let -o and -O replace a file')
    .option('--timeout <seconds>', 'how long the API may say nothing (60)')
    .option('--retry <n>', `repeat a GET, HEAD or PUT so often where a moment may help (${USUAL_RETRIES})`)
    .option('--retry-unsafe', 'repeat other methods too, though they may have been done')
    .option('--wait <seconds>', 'how long to wait where a rate limit asks for it (0)')
    .option('--dry-run', 'print the request, send nothing')
    .option('--curl', 'print the request as a line for curl, send nothing')
    .addHelpText('after', EXAMPLES);
}

// What --no-input leaves, in the options of all commands, is called `input` already.
function inputOption(command: Command): Option {
  const what = 'the whole body, whatever it is, from a file or - for standard input';
  return Object.assign(command.createOption('--input <file>', what), { attributeName: () => 'bodyFile' });
}

const EXAMPLES = `
Examples:
  podio call GET /item/123
  podio call /app/123456 --jq .config.name -r
  podio call POST /item/app/123456/ -F 'fields[title]=Hello' -F 'tags[]=new'
  podio call POST /item/app/123456/filter/ --paginate --ndjson
  podio call PUT /item/123 -d @item.json
  podio call DELETE /item/123
  podio call POST /file/ --form @photo.jpg
  podio call GET /file/42/raw -o photo.jpg

The method is GET unless a body is given, then POST.`;

async function run(context: Context, options: CallOptions, words: readonly string[]): Promise<undefined> {
  checkTogether(options);
  const request = await readRequest(context.io, options, words);
  // Before the client, which may log in: what cannot be sent sends nothing at all.
  resolveTarget(request.path, context.apiUrl());
  if (options.dryRun || options.curl) return show(context, options, request);
  const policy = policyOf(options, request);
  const most = readNumber(options.limit, '--limit', MANY);
  const filter = options.jq === undefined ? undefined : await compile(options.jq, options.raw ?? false);
  const saving = savingOf(options);
  if (saving?.file) await (await import('../save.ts')).checkSavable(saving);
  const send = sender(context, await context.client(), policy);
  if (options.paginate) return callPages(context, options, request, { most, filter, saving, send });
  const answer = await inSight(context, request, () =>
    send(saving === undefined ? request : unpacked(request)),
  );
  if (answer.status >= 300) await fail(context, answer, wantedOfError(options));
  if (options.include) await writeHead(context, answer);
  if (options.silent) await drainInTime(answer, request);
  else if (saving) await keep(context, answer, { ...saving, path: request.path });
  else if (filter)
    await write(context.io.stdout, shownLines(context, await filteredBody(answer, filter), options));
  else await writeBody(context, answer);
}

const MANY = { least: 1, most: Number.MAX_SAFE_INTEGER, isWhole: true };

const CONFLICTS: readonly (readonly [option: keyof CallOptions, other: keyof CallOptions])[] = [
  ['output', 'remoteName'],
  ['silent', 'output'],
  ['silent', 'remoteName'],
  ['silent', 'jq'],
  ['dryRun', 'curl'],
  ['jq', 'ndjson'],
  ['jq', 'output'],
  ['jq', 'remoteName'],
  ['paginate', 'include'],
  ['paginate', 'remoteName'],
];

const NEEDS: readonly (readonly [option: keyof CallOptions, needed: keyof CallOptions])[] = [
  ['raw', 'jq'],
  ['limit', 'paginate'],
  ['ndjson', 'paginate'],
];

function checkTogether(options: CallOptions): void {
  if (options.json) {
    throw new UsageError('call prints the answer as it is, which is JSON, and takes no --json', {
      hint: 'leave --json out; --jq FILTER picks from the answer',
    });
  }
  const conflict = CONFLICTS.find((pair) => pair.every((name) => options[name] !== undefined));
  if (conflict) throw new UsageError(`${conflict.map(dashed).join(' and ')} cannot go together`);
  const lonely = NEEDS.find(([name, needed]) => options[name] !== undefined && options[needed] === undefined);
  if (lonely) throw new UsageError(`${dashed(lonely[0])} goes with ${dashed(lonely[1])}`);
}

function dashed(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

async function show(context: Context, options: CallOptions, request: Request): Promise<undefined> {
  const { showCurl, showRequest } = await import('../call-show.ts');
  if (options.curl) await showCurl(context, options, request);
  else await showRequest(context, request);
}

async function compile(filter: string, isRaw: boolean): Promise<Filter> {
  return (await import('../jq.ts')).compiled(filter, isRaw);
}

function policyOf({ retry, retryUnsafe = false, wait }: CallOptions, { method }: Request) {
  const retries = readNumber(retry, '--retry', { least: 0, most: 100, isWhole: true }) ?? USUAL_RETRIES;
  const seconds = readNumber(wait, '--wait', { least: 0, most: 86_400 }) ?? 0;
  return { method, retries, isUnsafeAllowed: retryUnsafe, wait: seconds };
}

// The file that --remote-name makes has no name yet.
function savingOf({ output, remoteName, clobber = false }: CallOptions): SaveOptions | undefined {
  if (remoteName) return { file: '', clobber, option: '--remote-name' };
  return output === undefined || output === '-' ? undefined : { file: output, clobber, option: '--output' };
}

// A file is kept as it lies there, and its length is known beforehand.
function unpacked(request: Request): Request {
  return { ...request, headers: { 'accept-encoding': 'identity', ...request.headers } };
}

const WORTH_ANOTHER_LOOK = [420, 429, 502, 503, 504];

function sender({ io, settings }: Context, client: PodioClient, policy: ReturnType<typeof policyOf>): Send {
  return async (request) => {
    const watch = settings.debug ? (await import('../wire-talk.ts')).wireTalk(io) : undefined;
    const { body } = request;
    const isWatched = typeof body === 'object' && 'open' in body && io.stderr.isTTY === true;
    const shown = isWatched ? (await import('../progress.ts')).countedBody(body, io) : body;
    const send = () => client.call({ ...request, body: shown, signal: io.signal, watch });
    const first = await send().then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    );
    if ('answer' in first && !WORTH_ANOTHER_LOOK.includes(first.answer.status)) return first.answer;
    const tell = (why: string, seconds: number) => {
      if (settings.debug) say(io, visible(`${why}; trying again in ${seconds.toFixed(1)} s`));
    };
    const { retried } = await import('../../client/retry.ts');
    return retried(send, { ...policy, signal: io.signal, tell }, first);
  };
}

// What one sends, or asked to see, is told of as it goes.
async function inSight<T>({ io, settings }: Context, { body }: Request, work: () => Promise<T>): Promise<T> {
  const isTold = settings.debug || (typeof body === 'object' && 'open' in body);
  if (isTold || io.stdout.isTTY !== true || io.stderr.isTTY !== true) return work();
  const { withSpinner } = await import('../spinner.ts');
  return withSpinner(io, 'Waiting for Podio', work);
}

// Where a filter or a file was asked for, standard output stays empty: what is read there must not be an error.
function wantedOfError({ output, remoteName, jq, include = false, silent = false }: CallOptions) {
  const isElsewhere = output !== undefined || remoteName === true || jq !== undefined;
  return { head: include && !isElsewhere, body: !silent && !isElsewhere };
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
  const { remoteName, checkSavable, save } = await import('../save.ts');
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
  const { counted, Progress } = await import('../progress.ts');
  const total = headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
  return counted(body, new Progress(io, { what: 'received', unit: 'bytes', total }));
}

function shownLines(context: Context, text: string, { raw }: CallOptions): string {
  if (!context.io.stdout.isTTY) return text;
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => (raw ? `${visible(line)}\n` : forReader(context, line))).join('');
}

interface Paging {
  readonly most: number | undefined;
  readonly filter: Filter | undefined;
  readonly saving: SaveOptions | undefined;
  readonly send: Send;
}

async function callPages(
  context: Context,
  options: CallOptions,
  request: Request,
  { most, filter, saving, send }: Paging,
): Promise<undefined> {
  const { pagedText } = await import('../call-pages.ts');
  const { io } = context;
  let wanted = wantedOfError(options);
  const page = async (part: Partial<Request>) => {
    const answer = await send({ ...request, ...part });
    if (answer.status >= 300) await fail(context, answer, wanted);
    // From here on standard output belongs to the items.
    wanted = { head: false, body: false };
    return answer;
  };
  const written = (item: string) => (saving ? item : forReader(context, item).trimEnd());
  const isLines = options.ndjson ?? false;
  const text = pagedText(io, request, { most, isLines, filter, written }, page);
  if (saving) {
    const { Readable } = await import('node:stream');
    return (await import('../save.ts')).save(
      Readable.from(text, { objectMode: false }),
      saving,
      io.signal,
    ) as never;
  }
  for await (const piece of text)
    if (!options.silent) await write(io.stdout, filter ? shownLines(context, piece, options) : piece);
}

import type { Command, Option } from 'commander';
import type { RetryPolicy } from '../../client/retry.ts';
import { resolveTarget } from '../../client/target.ts';
import { type Delivery, deliver, fail, wantedOfError } from '../call-answer.ts';
import { type CallOptions, checkTogether, savingOf } from '../call-options.ts';
import { type Request, readRequest } from '../call-request.ts';
import { inSight, type Send, sender } from '../call-send.ts';
import type { Context } from '../context.ts';
import type { Filter } from '../jq.ts';
import { readNumber } from '../numbers.ts';
import type { CommandModule } from './command.ts';

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
    .option(
      '--wait <seconds>',
      'how long to wait where a rate limit asks for it, or a 503 for more than 10 s (0)',
    )
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
  const filter = options.jq === undefined ? undefined : await compile(context, options);
  const saving = savingOf(options);
  try {
    // The name that --remote-name takes comes with the answer.
    if (saving && !options.remoteName) await (await import('../save.ts')).checkSavable(saving);
    const send = sender(context, await context.client(), policy);
    await make(context, { options, request, filter, saving, most, send });
  } finally {
    await filter?.end();
  }
}

type Call = Delivery & { readonly most: number | undefined; readonly send: Send };

async function make(context: Context, call: Call): Promise<void> {
  const { options, request, saving, send } = call;
  if (options.paginate) return (await import('../call-pages.ts')).deliverPages(context, call);
  const answer = await inSight(context, request, () =>
    send(saving === undefined ? request : unpacked(request)),
  );
  if (answer.status >= 300) await fail(context, answer, wantedOfError(options));
  await deliver(context, answer, call);
}

// A file is kept as it lies there, and its length is known beforehand.
function unpacked(request: Request): Request {
  return { ...request, headers: { 'accept-encoding': 'identity', ...request.headers } };
}

const MANY = { least: 1, most: Number.MAX_SAFE_INTEGER, isWhole: true };

async function show(context: Context, options: CallOptions, request: Request): Promise<undefined> {
  const { showCurl, showRequest } = await import('../call-show.ts');
  if (options.curl) await showCurl(context, options, request);
  else await showRequest(context, request);
}

async function compile({ io }: Context, { jq = '', raw = false }: CallOptions): Promise<Filter> {
  return (await import('../jq.ts')).compiled(jq, raw, io.signal);
}

function policyOf({ retry, retryUnsafe = false, wait }: CallOptions, { method }: Request): RetryPolicy {
  const retries = readNumber(retry, '--retry', { least: 0, most: 100, isWhole: true }) ?? USUAL_RETRIES;
  const seconds = readNumber(wait, '--wait', { least: 0, most: 86_400 }) ?? 0;
  return { method, retries, isUnsafeAllowed: retryUnsafe, wait: seconds };
}

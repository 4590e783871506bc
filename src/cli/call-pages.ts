import { Readable } from 'node:stream';
import { type Page, pages } from '../client/pages.ts';
import { UsageError } from '../errors.ts';
import type { HttpResponse } from '../http/http.ts';
import { type Delivery, fail, forReader, wantedOfError, writeFiltered } from './call-answer.ts';
import type { Request } from './call-request.ts';
import type { Send } from './call-send.ts';
import type { Context } from './context.ts';
import type { Io } from './io.ts';
import { write } from './output.ts';
import { Progress } from './progress.ts';

/** How the pages of a list are to be brought, and what is to become of them. */
export interface Paging extends Delivery {
  /** How many items in all; every one where it is undefined. */
  readonly most: number | undefined;
  readonly send: Send;
}

/**
 * Prints or keeps all items of a list, a page at a time: one array, or one item a line, or what the filter makes of
 * each page. Where a later page fails the array is closed before the error is thrown: what has been printed stays JSON.
 * @throws {UsageError} where the call is none that has pages.
 */
export async function deliverPages(context: Context, paging: Paging): Promise<void> {
  const { options, request, filter, saving, most } = paging;
  const written = (item: string) => (saving ? item : forReader(context, item).trimEnd());
  // Items that go to the terminal themselves tell enough.
  const isWatched = saving !== undefined || !context.io.stdout.isTTY;
  const how = { most, isLines: options.ndjson ?? false, filter, written, isWatched };
  const text = pagedText(context.io, request, how, pageSender(context, paging));
  if (saving) {
    const { save } = await import('./save.ts');
    return save(Readable.from(text, { objectMode: false }), saving, context.io.signal);
  }
  for await (const piece of text) {
    if (filter) await writeFiltered(context, piece, options);
    else if (!options.silent) await write(context.io.stdout, piece);
  }
}

function pageSender(
  context: Context,
  { options, request, send }: Paging,
): (part: Partial<Request>) => Promise<HttpResponse> {
  let wanted = wantedOfError(options);
  return async (part) => {
    const answer = await send({ ...request, ...part });
    if (answer.status >= 300) await fail(context, answer, wanted);
    // From here on standard output belongs to the items.
    wanted = { head: false, body: false };
    return answer;
  };
}

interface PagingOptions extends Pick<Paging, 'most' | 'filter'> {
  /** One item a line, in place of one array. */
  readonly isLines: boolean;
  /** How an item is to be written; its JSON has no line ends. */
  readonly written: (item: string) => string;
  /** Whether to tell how far it has come. */
  readonly isWatched: boolean;
}

function pagedText(
  io: Io,
  { method, path, body }: Request,
  options: PagingOptions,
  send: (request: Pick<Request, 'path' | 'body'>) => Promise<HttpResponse>,
): AsyncGenerator<string> {
  if ((method !== 'GET' && method !== 'POST') || typeof body === 'object') {
    throw new UsageError('--paginate goes with GET, or with POST and a JSON body', {
      hint: 'as in: podio call POST /item/app/123456/filter/ --paginate',
    });
  }
  const found = pages({ method, path, body, most: options.most }, send);
  return textOf(options.isWatched ? watched(found, io, options.most) : found, options);
}

async function* textOf(found: AsyncIterable<Page>, options: PagingOptions): AsyncGenerator<string> {
  const { filter, isLines, written } = options;
  if (filter !== undefined) for await (const { text } of found) yield await filter.run(text);
  else if (isLines)
    for await (const { items } of found) yield items.map((item) => `${written(item)}\n`).join('');
  else yield* arrayOf(found, written);
}

async function* arrayOf(
  found: AsyncIterable<Page>,
  written: PagingOptions['written'],
): AsyncGenerator<string> {
  let before = '';
  try {
    for await (const { items } of found) {
      if (items.length > 0) yield `${before || '[\n'}${items.map(written).join(',\n')}`;
      before = items.length > 0 ? ',\n' : before;
    }
  } catch (error) {
    if (before !== '') yield '\n]\n';
    throw error;
  }
  yield before === '' ? '[]\n' : '\n]\n';
}

// What goes into a pipe may end up on the terminal all the same: the line makes way for each page.
async function* watched(
  found: AsyncIterable<Page>,
  io: Io,
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<Page> {
  let progress: Progress | undefined;
  try {
    for await (const page of found) {
      const total = Math.min(page.total ?? most, most);
      progress ??= new Progress(io, {
        what: 'read',
        unit: 'items',
        total: Number.isFinite(total) ? total : undefined,
      });
      progress.end();
      yield page;
      progress.add(page.items.length);
    }
  } finally {
    progress?.end();
  }
}

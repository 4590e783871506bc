import { type Page, pages } from '../client/pages.ts';
import { UsageError } from '../errors.ts';
import type { HttpResponse } from '../http/http.ts';
import type { Request } from './call-request.ts';
import type { Io } from './io.ts';
import type { Filter } from './jq.ts';
import { Progress } from './progress.ts';

/** How the pages of a list are to be printed. */
export interface PagingOptions {
  /** How many items in all; every one where it is undefined. */
  readonly most: number | undefined;
  /** One item a line, in place of one array. */
  readonly isLines: boolean;
  /** Is given each page in place of its items being printed. */
  readonly filter: Filter | undefined;
  /** How an item is to be written; its JSON has no line ends. */
  readonly written: (item: string) => string;
}

/**
 * All items of a list as text, a page at a time: one array, or one item a line, or what the filter makes of each page.
 * Where a later page fails the array is closed before the error is thrown: what has been printed stays JSON.
 * @throws {UsageError} where the call is none that has pages.
 */
export function pagedText(
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
  return textOf(watched(found, io), options);
}

async function* textOf(found: AsyncIterable<Page>, options: PagingOptions): AsyncGenerator<string> {
  const { filter, isLines, written } = options;
  if (filter !== undefined) for await (const { text } of found) yield filter.run(text);
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

async function* watched(found: AsyncIterable<Page>, io: Io): AsyncGenerator<Page> {
  // Items that go to the terminal themselves tell enough.
  let progress: Progress | undefined;
  try {
    for await (const page of found) {
      if (!io.stdout.isTTY) progress ??= new Progress(io, { what: 'read', unit: 'items', total: page.total });
      progress?.add(page.items.length);
      yield page;
    }
  } finally {
    progress?.end();
  }
}

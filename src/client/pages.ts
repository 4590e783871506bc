import { UsageError } from '../errors.ts';
import { readWhole } from '../http/decoding.ts';
import type { HttpResponse } from '../http/http.ts';
import { parseJsonObject } from '../values/json.ts';
import { compact, elements, member } from '../values/json-text.ts';
import { brokenAnswer } from './failures.ts';

/** A list of Podio's that comes in pages of `limit` items from `offset` on. */
export interface PagedCall {
  readonly method: string;
  readonly path: string;
  /** JSON of the request; limit and offset of a POST go into it. */
  readonly body: string | undefined;
  /** How many items to bring in all; every one where it is undefined. */
  readonly most: number | undefined;
}

/** One page, its text exactly as received. */
export interface Page {
  readonly text: string;
  readonly items: readonly string[];
  /** How many items there are in all, where the API says so. */
  readonly total: number | undefined;
}

/** One request for a page. */
export type PageRequest = Pick<PagedCall, 'path' | 'body'>;

const LONGEST_PAGE = 64 * 1024 * 1024;
// The filter takes 500; lists that take fewer give fewer, and are asked on from there.
const FILTER_PAGE = 500;
const LIST_PAGE = 100;

/**
 * The pages of a list, each asked for when the one before has been used. Ends where the API says that there is no more:
 * at its own count, at an empty page, at one shorter than the one before, or where it brings the same page again
 * because it knows no offset. Each page moves the offset on, so that it cannot go in circles.
 * @throws {PodioError} where an answer is no list.
 */
export async function* pages(
  call: PagedCall,
  send: (request: PageRequest) => Promise<HttpResponse>,
): AsyncGenerator<Page> {
  const start = startOf(call);
  let [offset, got, before] = [start.offset, 0, undefined as Page | undefined];
  for (;;) {
    const limit = Math.min(start.limit, (call.most ?? Number.POSITIVE_INFINITY) - got);
    if (limit <= 0) return;
    const page = await readPage(await send(requestFor(call, limit, offset)));
    if (before !== undefined && isSame(page, before)) return;
    yield { ...page, items: page.items.slice(0, limit) };
    offset += page.items.length;
    got += page.items.length;
    if (isLast(page, before, { limit, offset })) return;
    before = page;
  }
}

function isLast(page: Page, before: Page | undefined, next: { limit: number; offset: number }): boolean {
  const { length } = page.items;
  if (length === 0 || length > next.limit) return true;
  if (page.total !== undefined) return next.offset >= page.total;
  return before !== undefined && length < Math.min(before.items.length, next.limit);
}

function isSame(page: Page, { items }: Page): boolean {
  return page.items.length > 0 && page.items[0] === items[0];
}

// What the caller wrote as limit is the size of a page, what as offset where to begin.
function startOf({ method, path, body }: PagedCall): { limit: number; offset: number } {
  const url = new URL(path, 'http://path');
  const given = method === 'GET' ? Object.fromEntries(url.searchParams) : bodyObject(body);
  const limit =
    wholeNumber(given.limit, 'limit') ?? (url.pathname.includes('/filter/') ? FILTER_PAGE : LIST_PAGE);
  return { limit, offset: wholeNumber(given.offset, 'offset') ?? 0 };
}

function wholeNumber(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= (name === 'limit' ? 1 : 0)) return number;
  throw new UsageError(`--paginate: ${name} is not a whole number`, {
    hint: `leave ${name} out, or mend it`,
  });
}

function bodyObject(body = '{}'): Readonly<Record<string, unknown>> {
  const object = parseJsonObject(body);
  if (object !== undefined) return object;
  throw new UsageError('--paginate wants a JSON object as body, to put limit and offset in', {
    hint: "as in -d '{}'",
  });
}

function requestFor({ method, path, body }: PagedCall, limit: number, offset: number): PageRequest {
  if (method === 'GET') return { path: withPage(path, { limit, offset }), body };
  const rest = elements(body ?? '{}');
  const kept = rest.flatMap((name, at) =>
    at % 2 === 0 && name !== '"limit"' && name !== '"offset"' ? [`${name}:${rest[at + 1]}`] : [],
  );
  return { path, body: `{${[...kept, `"limit":${limit}`, `"offset":${offset}`].join(',')}}` };
}

function withPage(path: string, values: Readonly<Record<string, number>>): string {
  const [before = '', query = ''] = path.split(/\?(.*)/s);
  const kept = query.split('&').filter((part) => part !== '' && !/^(limit|offset)=/.test(part));
  return `${before}?${[...kept, ...Object.entries(values).map(([name, value]) => `${name}=${value}`)].join('&')}`;
}

async function readPage(answer: HttpResponse): Promise<Page> {
  const tooLong = () => brokenAnswer(answer, 'the page is too long; ask for smaller ones with -F limit=N');
  const text = (await readWhole(answer.body, LONGEST_PAGE, tooLong)).toString();
  const list = listIn(text);
  if (list === undefined) throw brokenAnswer(answer, 'the answer is no list that --paginate knows');
  return { text, ...list };
}

function listIn(text: string): Pick<Page, 'items' | 'total'> | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  if (text.trimStart().startsWith('[')) return { items: elements(text).map(compact), total: undefined };
  const items = text.trimStart().startsWith('{') ? member(text, 'items') : undefined;
  if (!items?.startsWith('[')) return undefined;
  const total = Number(member(text, 'filtered') ?? member(text, 'total'));
  return { items: elements(items).map(compact), total: Number.isFinite(total) ? total : undefined };
}

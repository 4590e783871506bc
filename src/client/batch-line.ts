import { UsageError } from '../errors.ts';
import { header } from '../values/header.ts';
import { parseJsonObject } from '../values/json.ts';
import { withQuery } from '../values/query.ts';
import type { ApiCall } from './podio-client.ts';

/** One line of a batch. */
export interface BatchLine {
  /** Counted from 1, empty lines too. */
  readonly number: number;
  /** What the line calls itself; its number where it does not. */
  readonly id: string | number;
  /** What stood in the line. */
  readonly text: string;
  /** What to send, or why that is not known. */
  readonly call: ApiCall | UsageError;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const KEYS = ['id', 'method', 'path', 'query', 'headers', 'body'];
const TAKES = 'as in {"method":"PUT","path":"/item/1","body":{}}, or GET /item/1';

type Fields = Readonly<Record<string, unknown>>;

/** Reads one line: an object, or method and path, with quotes or without. What is wrong with it is said in `call`. */
export function readBatchLine(text: string, number: number): BatchLine {
  const fields = text.startsWith('{') ? parseJsonObject(text) : undefined;
  const id = idOf(fields) ?? number;
  try {
    return { number, id, text, call: fields ? callOf(fields, text) : bareCall(text) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const call = new UsageError(`line ${number}: ${error.message}`, { hint: error.hint ?? TAKES });
    return { number, id, text, call };
  }
}

function idOf({ id }: Fields = {}): string | number | undefined {
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}

function bareCall(text: string): ApiCall {
  const words = (text.startsWith('"') ? unquoted(text) : text).trim().split(/\s+/);
  const [method = '', path] = words.length === 1 ? ['GET', ...words] : words;
  if (path === undefined || words.length > 2 || !/^(\/|https?:)/.test(path))
    throw new UsageError('this is neither a JSON object nor a method and a path');
  return { method: methodOf(method), path };
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    throw new UsageError('this begins like a JSON text and is none');
  }
}

function callOf(fields: Fields, text: string): ApiCall {
  const unknown = Object.keys(fields).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw new UsageError(`"${unknown.slice(0, 40)}" is none of ${KEYS.join(', ')}`);
  if (fields.id !== undefined && idOf(fields) === undefined)
    throw new UsageError('"id" is neither text nor a number');
  const { path, query = {}, headers = {}, body } = fields;
  checkNumbers(text);
  if (typeof path !== 'string') throw new UsageError('"path" is missing');
  return {
    method: methodOf(fields.method ?? (body === undefined ? 'GET' : 'POST')),
    path: withQuery(path, entriesOf(query, 'query')),
    headers: Object.fromEntries(entriesOf(headers, 'headers').map(headerOf)),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
}

// Rounding an id would be to send what nobody wrote. Most lines have no number that is long enough to be looked at.
function checkNumbers(text: string): void {
  if (!/\d{16}/.test(text)) return;
  JSON.parse(text, (key, value: unknown) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value)) return value;
    throw new UsageError(`the number of "${key.slice(0, 40)}" is too large to be sent exactly`, {
      hint: 'send it as text',
    });
  });
}

function methodOf(method: unknown): string {
  const upper = String(method).toUpperCase();
  if (typeof method === 'string' && METHODS.includes(upper)) return upper;
  throw new UsageError(`"${String(method).slice(0, 40)}" is no method`, {
    hint: `one of ${METHODS.join(', ')}`,
  });
}

function headerOf([name, value]: readonly [string, unknown]): readonly [string, string] {
  if (typeof value !== 'string' && typeof value !== 'number')
    throw new UsageError(`the header ${name.slice(0, 40)} is neither text nor a number`);
  return header(name, String(value), '"headers" takes names and values');
}

function entriesOf(value: unknown, key: string): [string, unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw new UsageError(`"${key}" is not an object`);
}

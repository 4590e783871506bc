import { UsageError } from '../errors.ts';
import type { Body } from '../values/body.ts';
import { header } from '../values/header.ts';
import { withQuery } from '../values/query.ts';
import { type Field, nest, splitField, typedValue } from './fields.ts';
import { readArgument } from './input.ts';
import type { Io } from './io.ts';
import { readTimeout } from './numbers.ts';

/** The options of `podio call` that make the request. */
export interface RequestOptions {
  readonly rawField?: readonly string[];
  readonly field?: readonly string[];
  readonly data?: string;
  readonly bodyFile?: string;
  readonly form?: readonly string[];
  readonly query?: readonly string[];
  readonly header?: readonly string[];
  readonly timeout?: string;
}

/** What `podio call` was asked to send. */
export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body | undefined;
  readonly timeoutMs: number | undefined;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Reads the words and options of a call, and what they name on disk or standard input. @throws {UsageError} */
export async function readRequest(
  io: Io,
  options: RequestOptions,
  words: readonly string[],
): Promise<Request> {
  const [source] = bodySources(options);
  const { method, path: written } = methodAndPath(words, source !== undefined);
  const isBodiless = ['GET', 'HEAD', 'DELETE'].includes(method);
  const fields = await readFields(io, options);
  const inQuery = [...readQuery(options.query ?? []), ...(isBodiless ? fields : [])];
  const path = withQuery(
    written,
    inQuery.map(({ name, value }) => [name, value]),
  );
  const headers = readHeaders(options.header ?? []);
  const timeoutMs = readTimeout(options.timeout);
  if (options.form !== undefined)
    return { method, path, timeoutMs, ...(await readFormBody(io, options.form, path, headers)) };
  const body = isBodiless && fields.length > 0 ? undefined : await readBody(io, options, fields);
  return { method, path, headers, body, timeoutMs };
}

/** The options that make a body, by how the user wrote them. @throws {UsageError} where there are several. */
function bodySources({ data, bodyFile, form, field, rawField }: RequestOptions): string[] {
  const named = (option: string, [text = '']: readonly string[] = []) =>
    text === '' ? undefined : `${option} ${text.split('=', 1)[0]}`;
  const found = [
    data === undefined ? undefined : '--data',
    bodyFile === undefined ? undefined : '--input',
    named('--form', form),
    named('--raw-field', rawField) ?? named('--field', field),
  ].filter((source) => source !== undefined);
  if (found.length < 2) return found;
  throw new UsageError(`${found.join(' and ')} cannot go together: each makes the body`, {
    hint: 'keep one of them; -q adds to the query',
  });
}

async function readBody(
  io: Io,
  { data, bodyFile }: RequestOptions,
  fields: readonly Field[],
): Promise<Body | undefined> {
  if (data !== undefined) return readJson(io, data);
  if (bodyFile !== undefined) return (await import('./raw-body.ts')).bodyFrom(io, bodyFile, '--input');
  return fields.length === 0 ? undefined : bodyOf(fields);
}

async function readFormBody(
  io: Io,
  parts: readonly string[],
  path: string,
  headers: Request['headers'],
): Promise<Pick<Request, 'headers' | 'body'>> {
  if ('content-type' in headers)
    throw new UsageError('--form brings its own Content-Type; leave the header out');
  const { type, body } = await (await import('./form.ts')).readForm(io, parts, path);
  return { headers: { ...headers, 'content-type': type }, body };
}

function readQuery(texts: readonly string[]): Field[] {
  return texts.map((text) => {
    const [name, value] = splitField(text, '--query');
    return { name, value };
  });
}

function methodAndPath(words: readonly string[], hasBody: boolean): Pick<Request, 'method' | 'path'> {
  const [first = '', second, ...more] = words;
  if (more.length > 0) throw new UsageError('call takes a method and a path, and nothing more');
  if (second === undefined) return { method: hasBody ? 'POST' : 'GET', path: first };
  const method = first.toUpperCase();
  if (METHODS.includes(method)) return { method, path: second };
  throw new UsageError(`"${first}" is no method`, {
    hint: `one of ${METHODS.join(', ')}; it comes before the path`,
  });
}

async function readFields(io: Io, { rawField = [], field = [] }: RequestOptions): Promise<Field[]> {
  const fields: Field[] = rawField.map((text) => {
    const [name, value] = splitField(text, '--raw-field');
    return { name, value };
  });
  for (const text of field) {
    const [name, value] = splitField(text, '--field');
    const isRead = value.startsWith('@');
    fields.push({
      name,
      value: isRead ? await readArgument(io, value, '--field') : typedValue(name, value),
    });
  }
  return fields;
}

async function readJson(io: Io, data: string): Promise<string> {
  const text = await readArgument(io, data, '--data');
  try {
    JSON.parse(text);
    return text;
  } catch {
    throw new UsageError('--data is not JSON', {
      hint: 'quote it for the shell, as in -d \'{"fields":{}}\', or use -f',
    });
  }
}

function bodyOf(fields: readonly Field[]): string {
  try {
    return JSON.stringify(nest(fields));
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError('the fields are nested far too deep');
    throw error;
  }
}

function readHeaders(headers: readonly string[]): Record<string, string> {
  return Object.fromEntries(headers.map(readHeader));
}

function readHeader(text: string): readonly [name: string, value: string] {
  const [, name = '', value = ''] = /^([^:]*):[ \t]*(.*)$/s.exec(text) ?? [];
  return header(name, value, "--header takes 'Name: value'");
}

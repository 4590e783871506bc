import { UsageError } from '../errors.ts';

/** The headers of a request; several lines for one of several values. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[]>>;

/**
 * What a request begins with, as it goes over the wire in ISO-8859-1 (RFC 9112 §3, §5).
 * @throws {UsageError} for a method, path or header that would make another request of it.
 */
export function requestHead(method: string, path: string, headers: RequestHeaders): string {
  if (!TOKEN.test(method) || !/^[\x21-\x7e]+$/.test(path)) throw breaking('the method or the path');
  let head = `${method} ${path} HTTP/1.1\r\n`;
  for (const name in headers) {
    const value = headers[name] ?? '';
    if (typeof value === 'string') head += line(name, value);
    else for (const one of value) head += line(name, one);
  }
  return `${head}\r\n`;
}

const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

function line(name: string, value: string): string {
  if (!TOKEN.test(name) || !VALUE.test(value)) throw breaking(`the header ${name.slice(0, 40)}`);
  return `${name}: ${value}\r\n`;
}

function breaking(what: string): UsageError {
  return new UsageError(`${what} holds characters that HTTP does not take`, {
    hint: 'names of letters, digits and "-"; values in one line, ISO-8859-1 characters only',
  });
}

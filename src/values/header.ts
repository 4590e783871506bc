import { UsageError } from '../errors.ts';

const OURS = [
  'authorization',
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'accept-encoding',
];

/**
 * A header that may be sent beside podio's own, its name in lower case.
 * @throws {UsageError} for one that breaks HTTP (RFC 9110 §5), or that is podio's own; `takes` says what is asked for.
 */
export function header(name: string, value: string, takes: string): readonly [name: string, value: string] {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
    throw new UsageError(`${takes} in one line, ISO-8859-1 characters only`);
  if (!OURS.includes(name.toLowerCase())) return [name.toLowerCase(), value];
  const hint =
    name.toLowerCase() === 'authorization' ? 'to use another token, set PODIO_ACCESS_TOKEN' : 'leave it out';
  throw new UsageError(`the header ${name} is podio's own`, { hint });
}

/** What an answer begins with (RFC 9112 §4, §5). */
export interface AnswerHead {
  readonly version: '1.0' | '1.1';
  readonly status: number;
  readonly statusText: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
}

/** What came is not HTTP/1.1. The codes are those of Node's own parser, which people search for. */
export class ProtocolError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`the answer breaks HTTP/1.1 (${code})`);
    this.code = code;
  }
}

/** The head in a text of ISO-8859-1, without the empty line that ends it. @throws {ProtocolError} */
export function readHead(text: string): AnswerHead {
  const [first = '', ...lines] = text.split('\r\n');
  const [, version, status, statusText = ''] = STATUS_LINE.exec(first) ?? [];
  if (status === undefined) throw new ProtocolError('HPE_INVALID_CONSTANT');
  const headers: Record<string, string | string[] | undefined> = Object.create(null);
  const rawHeaders: string[] = [];
  for (const line of unfolded(lines)) {
    const [name, value] = readField(line);
    rawHeaders.push(name, value);
    add(headers, name.toLowerCase(), value);
  }
  return {
    version: version === '1.0' ? '1.0' : '1.1',
    status: Number(status),
    statusText,
    headers,
    rawHeaders,
  };
}

const STATUS_LINE = /^HTTP\/(1\.[01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
// A control character, or half an end of a line.
const BROKEN = /[^\t\r\n\x20-\x7e\x80-\xff]|\r[^\n]|(?<!\r)\n/;
const FIELD = /^[!#$%&'*+.^_`|~\w-]+:[\t\x20-\x7e\x80-\xff]*$/;

/** Whether a text can be the beginning of an answer: what is something else need not be waited for. */
export function mayBeHead(text: string): boolean {
  if (BROKEN.test(text)) return false;
  const end = text.indexOf('\r\n');
  if (end >= 0) return STATUS_LINE.test(text.slice(0, end));
  return text.startsWith('HTTP/1.') || 'HTTP/1.'.startsWith(text);
}

// RFC 9112 §5.2: whoever receives a value folded over lines takes the fold for a space; before the first is no value.
function unfolded(lines: readonly string[]): readonly string[] {
  if (!lines.some((line) => isBlank(line, 0))) return lines;
  return lines
    .join('\r\n')
    .replace(/\r\n[\t ]+/g, ' ')
    .split('\r\n');
}

/** Whether a line is a header, or a trailer. */
export function isField(line: string): boolean {
  return FIELD.test(line);
}

function readField(line: string): readonly [name: string, value: string] {
  if (!isField(line)) throw new ProtocolError('HPE_INVALID_HEADER_TOKEN');
  const colon = line.indexOf(':');
  return [line.slice(0, colon), withoutBlanks(line, colon + 1)];
}

// Not `trim`, which takes away what is a character of the value in ISO-8859-1.
function withoutBlanks(line: string, from: number): string {
  let [start, end] = [from, line.length];
  while (start < end && isBlank(line, start)) start++;
  while (end > start && isBlank(line, end - 1)) end--;
  return line.slice(start, end);
}

function isBlank(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit === 0x20 || unit === 0x09;
}

// Of a header that says one thing, the first counts; lists are joined (RFC 9110 §5.3), cookies are not.
const SINGULAR = /^(?:age|content-type|etag|expires|last-modified|location|retry-after|server)$/;

function add(headers: Record<string, string | string[] | undefined>, name: string, value: string): void {
  const before = headers[name];
  if (name === 'set-cookie') headers[name] = [...(before ?? []), value];
  else if (before === undefined) headers[name] = value;
  else if (!SINGULAR.test(name)) headers[name] = `${before}, ${value}`;
}

import { below, oneOf, type Random } from './random.ts';

/** An answer that may be right or wrong, and how the request was made that it is given to. */
export interface MadeAnswer {
  readonly method: string;
  /** Byte for byte, in ISO-8859-1. */
  readonly wire: string;
}

const STATUSES = ['200', '201', '200', '299', '301', '404', '420', '500', '599', '204', '304', '205'];
const REASONS = ['OK', '', 'Not Found', 'Gr\xfc\xdfe', 'a\tb', '200', 'HTTP/1.1'];
const NAMES = ['A', 'x-b', 'Set-Cookie', 'Location', 'Link', 'ETag', 'X_1', "!#$%&'*+-.^`|~", 'x-b'];
const VALUES = ['', 'x', 'a, b', 'chunked', '5', '"q;\\"', '\xe9\xa0', 'a  b', 'a:b', 'HTTP/1.1 200 OK'];
const TEXTS = [
  '',
  'x',
  'hello',
  '0\r\n\r\n',
  '\r\n',
  'HTTP/1.1 200 OK\r\n\r\n',
  '\0\xff',
  '{"a":[1,2]}',
  'é',
];

/** An answer after the rules of RFC 9112, of any of its kinds. */
export function validAnswer(random: Random): MadeAnswer {
  const method = oneOf(['GET', 'GET', 'GET', 'POST', 'HEAD'], random);
  const status = oneOf(STATUSES, random);
  const version = below(8, random) === 0 ? '1.0' : '1.1';
  const body = Array.from({ length: below(4, random) }, () => oneOf(TEXTS, random)).join('');
  const hasBody = method !== 'HEAD' && status !== '204' && status !== '304';
  const [framing, framed] = frame(body, version === '1.1', random);
  const lines = shuffled(
    [...Array.from({ length: below(5, random) }, () => header(random)), ...framing],
    random,
  );
  const connection = oneOf([[], [], ['Connection: close'], ['Connection: keep-alive']], random);
  const head = [`HTTP/${version} ${status} ${oneOf(REASONS, random)}`, ...lines, ...connection, '', ''];
  return { method, wire: `${before(random)}${head.join('\r\n')}${hasBody ? framed : ''}` };
}

/** The same with one to three bytes or stretches of it changed, taken away, doubled or put elsewhere. */
export function damaged({ method, wire }: MadeAnswer, random: Random): MadeAnswer {
  let text = wire;
  for (let times = 1 + below(2, random); times > 0; times--) text = oneOf(DAMAGES, random)(text, random);
  return { method, wire: text };
}

/** A text in as many pieces as chance will have. */
export function inPieces(text: string, random: Random): string[] {
  if (below(3, random) === 0 || text === '') return [text];
  const at = below(text.length, random) + 1;
  return [...inPieces(text.slice(0, at), random), ...(at < text.length ? [text.slice(at)] : [])];
}

function before(random: Random): string {
  const heads = ['HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early\r\nLink: x\r\n\r\n'];
  return below(6, random) === 0 ? heads.slice(below(2, random)).join('') : '';
}

function header(random: Random): string {
  const [name, value] = [oneOf(NAMES, random), oneOf(VALUES, random)];
  return `${name}:${oneOf(['', ' ', '\t', '  '], random)}${value}${oneOf(['', '', ' ', '\t '], random)}`;
}

function frame(body: string, mayChunk: boolean, random: Random): readonly [lines: string[], framed: string] {
  const kind = below(mayChunk ? 5 : 2, random);
  if (kind === 0) return [[], body];
  if (kind <= 2) return [[`${oneOf(['Content-Length', 'content-length'], random)}: ${body.length}`], body];
  const trailers = below(4, random) === 0 ? `${header(random)}\r\n` : '';
  return [['Transfer-Encoding: chunked'], `${chunks(body, random)}${chunkHead(0, random)}${trailers}\r\n`];
}

function chunks(body: string, random: Random): string {
  if (body === '') return '';
  const size = 1 + below(body.length, random);
  return `${chunkHead(size, random)}${body.slice(0, size)}\r\n${chunks(body.slice(size), random)}`;
}

function chunkHead(size: number, random: Random): string {
  const hex = size.toString(16);
  const digits = oneOf([hex, hex.toUpperCase(), `00${hex}`], random);
  return `${digits}${oneOf(['', '', '', ';a', ';a=b', ';a="b c"'], random)}\r\n`;
}

function shuffled<T>(all: readonly T[], random: Random): T[] {
  return all
    .map((one) => [random(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one);
}

type Damage = (text: string, random: Random) => string;

const NOISE = [
  '\0',
  '\n',
  '\r',
  '\r\n',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '0',
  '9',
  '-',
  '+',
  '\x7f',
  '\x80',
  'Z',
  '\x0b',
];
const SMUGGLED = [
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: x\r\n',
  ' fold\r\n',
];

const DAMAGES: readonly Damage[] = [
  (text, random) => spliced(text, below(text.length, random), 1, String.fromCharCode(below(256, random))),
  (text, random) => spliced(text, below(text.length, random), 1, oneOf(NOISE, random)),
  (text, random) => spliced(text, below(text.length, random), 0, oneOf(NOISE, random)),
  (text, random) => spliced(text, below(text.length, random), 1 + below(4, random), ''),
  (text, random) => text.slice(0, below(text.length, random)),
  (text, random) => {
    const [from, length] = [below(text.length, random), below(20, random)];
    return spliced(text, below(text.length, random), 0, text.slice(from, from + length));
  },
  (text, random) => {
    const lines = text.split('\r\n');
    return spliced(
      text,
      lines.slice(0, 1 + below(lines.length, random)).join('\r\n').length + 2,
      0,
      oneOf(SMUGGLED, random),
    );
  },
];

function spliced(text: string, at: number, less: number, more: string): string {
  return text.slice(0, at) + more + text.slice(at + less);
}

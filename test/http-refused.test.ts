import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PodioError } from '../src/errors.ts';
import { saying, take } from './support/wire.ts';

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const OVERFLOW = 'HPE_HEADER_OVERFLOW';
const HEADER = 'HPE_INVALID_HEADER_TOKEN';
const SIZE = 'HPE_INVALID_CHUNK_SIZE';
const LENGTH = 'HPE_INVALID_CONTENT_LENGTH';

const headed = (...lines: string[]) => ['HTTP/1.1 200 OK', ...lines, '', 'hello'].join('\r\n');

const REFUSED: readonly (readonly [what: string, wire: string, code: RegExp | string])[] = [
  [
    'a length and chunks',
    headed('Content-Length: 5', 'Transfer-Encoding: chunked'),
    'HPE_UNEXPECTED_CONTENT_LENGTH',
  ],
  [
    'chunks and a length',
    headed('Transfer-Encoding: chunked', 'Content-Length: 5'),
    'HPE_UNEXPECTED_CONTENT_LENGTH',
  ],
  ['two lengths', headed('Content-Length: 5', 'Content-Length: 6'), LENGTH],
  ['a length twice', headed('Content-Length: 5', 'content-length: 5'), LENGTH],
  ['two lengths in one line', headed('Content-Length: 5, 5'), LENGTH],
  ['two lengths by a fold', headed('Content-Length: 5', ' 5'), LENGTH],
  ...['-5', '+5', '0x5', '1e3', '5.0', '5 5', '5,', '', '\xb2', '9'.repeat(20)].map(
    (length) => [`a length of "${length}"`, headed(`Content-Length: ${length}`), LENGTH] as const,
  ),
  ...[
    'gzip',
    'gzip, chunked',
    'chunked, gzip',
    'chunked, chunked',
    'xchunked',
    'chunked;a',
    '"chunked"',
    '',
  ].map(
    (coding) =>
      [
        `a coding "${coding}"`,
        headed(`Transfer-Encoding: ${coding}`),
        'HPE_INVALID_TRANSFER_ENCODING',
      ] as const,
  ),
  ...['-5', '+5', '0x5', '5 5', '', ' 5', '5 ', '5\t;a\x00', '5;a\nb', 'f'.repeat(17), 'g', '5.', '5\r'].map(
    (size) =>
      [`a chunk of "${JSON.stringify(size)}"`, `${CHUNKED}${size}\r\nhello\r\n0\r\n\r\n`, SIZE] as const,
  ),
  ['a chunk longer than it says', `${CHUNKED}5\r\nhello!\r\n0\r\n\r\n`, 'HPE_STRICT'],
  ['a chunk that runs into the next', `${CHUNKED}5\r\nhello0\r\n\r\n`, 'HPE_STRICT'],
  ['another protocol', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n', 'HPE_INVALID_STATUS'],
  ['a blank before the colon', headed('Content-Length : 5'), HEADER],
  ['a name of nothing', headed(': x'), HEADER],
  ['a line without a colon', headed('Content-Length'), HEADER],
  ['a blank in a name', headed('Content Length: 5'), HEADER],
  ...['\0', '\x01', '\x08', '\x0b', '\x1b', '\x7f', '\r', '\n', '\nB: c'].map(
    (evil) => [`${JSON.stringify(evil)} in a header`, headed(`A: b${evil}c`), /HPE_INVALID/] as const,
  ),
  ['a control character in the reason', 'HTTP/1.1 200 O\x1bK\r\nContent-Length: 0\r\n\r\n', /HPE_INVALID/],
  ['a folded line that follows nothing', headed(' Content-Length: 5'), /HPE_INVALID/],
  ['a status line over two lines', 'HTTP/1.1\r\n 200 OK\r\nContent-Length: 0\r\n\r\n', /HPE_INVALID/],
  ['lines that end with LF alone', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', /HPE_INVALID/],
  ['a head that ends with LF alone', 'HTTP/1.1 200 OK\r\nContent-Length: 0\n\n', /HPE_INVALID/],
  ['HTTP/2.0', 'HTTP/2.0 200 OK\r\n\r\n', 'HPE_INVALID_CONSTANT'],
  ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n', 'HPE_INVALID_CONSTANT'],
  ['small letters', 'http/1.1 200 OK\r\n\r\n', 'HPE_INVALID_CONSTANT'],
  ...['20', '2000', '099', 'abc', '2 00', '+20'].map(
    (status) => [`a status "${status}"`, `HTTP/1.1 ${status} OK\r\n\r\n`, 'HPE_INVALID_CONSTANT'] as const,
  ),
  ['a line before the head', '\r\nHTTP/1.1 200 OK\r\n\r\n', 'HPE_INVALID_CONSTANT'],
  ...['SSH-2.0-x', '{"ok":true}', 'HTTQ', '\x16\x03\x01', '\0', ' '].map(
    (noise) => [`${JSON.stringify(noise)}, and no end of a line`, noise, 'HPE_INVALID_CONSTANT'] as const,
  ),
  ['a long head', headed(`A: ${'x'.repeat(17_000)}`), OVERFLOW],
  ['a head without end', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(3000)}`, OVERFLOW],
  ['trailers without end', `${CHUNKED}0\r\n${'A: b\r\n'.repeat(5000)}`, OVERFLOW],
  ['a trailer without end', `${CHUNKED}0\r\nA: ${'b'.repeat(17_000)}`, OVERFLOW],
  ['an extension without end', `${CHUNKED}5;${'a'.repeat(17_000)}`, OVERFLOW],
  ['a trailer that is no header', `${CHUNKED}0\r\nHTTP/1.1 200 OK\r\n\r\n`, /HPE_/],
  ['a trailer with a NUL', `${CHUNKED}0\r\nA: \0\r\n\r\n`, /HPE_/],
];

for (const [what, wire, code] of REFUSED) {
  test(`what is not HTTP/1.1, or can be read in two ways, is refused at once: ${what}`, async () => {
    for (const pieces of wire.length < 200 ? [[wire], [...wire]] : [[wire]]) {
      // Nothing follows, and the connection stays: whoever waits for more waits for ever.
      await using server = await saying(pieces);
      await assert.rejects(take(server.url, { timeoutMs: 1500 }), (error) => {
        assert.ok(error instanceof PodioError, String(error));
        assert.match(error.message, typeof code === 'string' ? new RegExp(`\\(${code}\\)$`) : code);
        return true;
      });
    }
  });
}

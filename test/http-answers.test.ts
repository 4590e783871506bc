import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionError } from '../src/errors.ts';
import { send } from '../src/http/http.ts';
import { saying, take } from './support/wire.ts';

interface Said {
  /** Byte for byte, in ISO-8859-1. */
  readonly wire: string;
  /** Whether the server ends the connection then, and so the answer. */
  readonly hangsUp?: boolean;
  readonly method?: string;
  readonly status?: number;
  readonly statusText?: string;
  readonly rawHeaders: readonly string[];
  readonly body?: string;
}

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const IS_CHUNKED = ['Transfer-Encoding', 'chunked'];
const LENGTH_5 = ['Content-Length', '5'];

const SAID: Readonly<Record<string, Said>> = {
  'a length': {
    wire: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    rawHeaders: LENGTH_5,
    body: 'hello',
  },
  'a length of nothing': {
    wire: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    rawHeaders: ['Content-Length', '0'],
  },
  'a length that begins with zeros': {
    wire: 'HTTP/1.1 200 OK\r\nContent-Length: 0005\r\n\r\nhello',
    rawHeaders: ['Content-Length', '0005'],
    body: 'hello',
  },
  chunks: { wire: `${CHUNKED}5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n`, rawHeaders: IS_CHUNKED, body: 'hello!' },
  'chunks, by another spelling': {
    wire: `HTTP/1.1 200 OK\r\ntransfer-encoding:\tCHUNKED \r\n\r\n1\r\nx\r\n0\r\n\r\n`,
    rawHeaders: ['transfer-encoding', 'CHUNKED'],
    body: 'x',
  },
  'chunks whose bytes look like ends of chunks': {
    wire: `${CHUNKED}7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n`,
    rawHeaders: IS_CHUNKED,
    body: '\r\n0\r\n\r\n',
  },
  'chunks with extensions': {
    wire: `${CHUNKED}5;a=b;c="d e"\r\nhello\r\n0;last\r\n\r\n`,
    rawHeaders: IS_CHUNKED,
    body: 'hello',
  },
  'chunks with trailers': {
    wire: `${CHUNKED}5\r\nhello\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n`,
    rawHeaders: IS_CHUNKED,
    body: 'hello',
  },
  'chunks counted in upper-case hex, with zeros before': {
    wire: `${CHUNKED}00A\r\n0123456789\r\n000\r\n\r\n`,
    rawHeaders: IS_CHUNKED,
    body: '0123456789',
  },
  'all until the connection ends': {
    wire: 'HTTP/1.1 200 OK\r\nA: b\r\n\r\nhello\r\n\r\n',
    hangsUp: true,
    rawHeaders: ['A', 'b'],
    body: 'hello\r\n\r\n',
  },
  'nothing until the connection ends': {
    wire: 'HTTP/1.1 200 OK\r\n\r\n',
    hangsUp: true,
    rawHeaders: [],
  },
  'HTTP/1.0': {
    wire: 'HTTP/1.0 200 OK\r\n\r\nhello',
    hangsUp: true,
    rawHeaders: [],
    body: 'hello',
  },
  'the length of what a HEAD does not bring': {
    wire: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    method: 'HEAD',
    rawHeaders: LENGTH_5,
  },
  'the chunks that a HEAD does not bring': { wire: CHUNKED, method: 'HEAD', rawHeaders: IS_CHUNKED },
  '204': { wire: 'HTTP/1.1 204 None\r\n\r\n', status: 204, statusText: 'None', rawHeaders: [] },
  '304 with a length': {
    wire: 'HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n',
    status: 304,
    statusText: 'Same',
    rawHeaders: LENGTH_5,
  },
  'words before the answer': {
    wire: 'HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    rawHeaders: LENGTH_5,
    body: 'hello',
  },
  'a header folded over lines': {
    wire: 'HTTP/1.1 200 OK\r\nA: b\r\n\t c\r\n d\r\nContent-Length: 0\r\n\r\n',
    rawHeaders: ['A', 'b c d', 'Content-Length', '0'],
  },
  'headers without a value, with blanks, with strange names': {
    wire: "HTTP/1.1 200 OK\r\nA:\r\nB: \t\r\nC:c\r\n!#$%&'*+-.^_`|~9:  d  e\t\r\nContent-Length: 0\r\n\r\n",
    rawHeaders: ['A', '', 'B', '', 'C', 'c', "!#$%&'*+-.^_`|~9", 'd  e', 'Content-Length', '0'],
  },
  'no reason': {
    wire: 'HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n',
    status: 299,
    statusText: '',
    rawHeaders: ['Content-Length', '0'],
  },
  'no reason, and no blank before it': {
    wire: 'HTTP/1.1 299\r\nContent-Length: 0\r\n\r\n',
    status: 299,
    statusText: '',
    rawHeaders: ['Content-Length', '0'],
  },
  'letters of ISO-8859-1, whose NBSP is none of the blanks': {
    wire: 'HTTP/1.1 200 Gr\xfc\xdf\r\nA: \xe9\xa0\r\nContent-Length: 2\r\n\r\n\xff\x00',
    statusText: 'Gr\xfc\xdf',
    rawHeaders: ['A', '\xe9\xa0', 'Content-Length', '2'],
    body: '\xff\x00',
  },
  'names that are special to JavaScript': {
    wire: 'HTTP/1.1 200 OK\r\n__proto__: a\r\nconstructor: b\r\nContent-Length: 0\r\n\r\n',
    rawHeaders: ['__proto__', 'a', 'constructor', 'b', 'Content-Length', '0'],
  },
};

for (const [what, said] of Object.entries(SAID)) {
  test(`an answer is read as it was meant, in one piece and byte by byte: ${what}`, async () => {
    const { wire, hangsUp, method = 'GET', status = 200, statusText = 'OK', rawHeaders, body = '' } = said;
    for (const pieces of [[wire], [...wire]]) {
      await using server = await saying(pieces, hangsUp);
      assert.deepEqual(await take(server.url, { method }), { status, statusText, rawHeaders, body });
    }
  });
}

test('of headers that are repeated, cookies are a list, lists are joined, and of the others the first counts', async () => {
  const lines = [
    'Set-Cookie: a=1, x',
    'X-List: a',
    'Location: /1',
    'SET-COOKIE: b=2',
    'x-list: b',
    'LOCATION: /2',
  ];
  await using server = await saying([
    ['HTTP/1.1 200 OK', ...lines, 'Content-Length: 0', '', ''].join('\r\n'),
  ]);
  const { headers, body } = await send({ method: 'GET', origin: server.url, path: '/', timeoutMs: 5000 });
  body.destroy();
  assert.deepEqual(
    { ...headers },
    { 'set-cookie': ['a=1, x', 'b=2'], 'x-list': 'a, b', location: '/1', 'content-length': '0' },
  );
});

const CUT: Readonly<Record<string, string>> = {
  'before its head': '',
  'in its head': 'HTTP/1.1 200 OK\r\nContent-Le',
  'after the words before it': 'HTTP/1.1 100 Continue\r\n\r\n',
  'in a body with a length': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell',
  'before a body with a length': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
  'in a chunk': `${CHUNKED}5\r\nhel`,
  'after a chunk': `${CHUNKED}5\r\nhello`,
  'before the last chunk': `${CHUNKED}5\r\nhello\r\n`,
  'in the last chunk': `${CHUNKED}5\r\nhello\r\n0\r\n`,
  'in the trailers': `${CHUNKED}5\r\nhello\r\n0\r\nA: b\r\n`,
};

for (const [where, wire] of Object.entries(CUT)) {
  test(`an answer that breaks off is never passed for whole: ${where}`, async () => {
    await using server = await saying([wire], true);
    await assert.rejects(take(server.url), (error) => {
      assert.ok(error instanceof ConnectionError, String(error));
      assert.match(error.message, /^the connection was cut by 127\.0\.0\.1:\d+$/);
      return true;
    });
  });
}

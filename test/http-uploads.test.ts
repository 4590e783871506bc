import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Failure } from '../src/errors.ts';
import { Connections } from '../src/http/connections.ts';
import { answering } from './support/answering.ts';
import { inTime } from './support/promptly.ts';
import { closed, Turns, take } from './support/wire.ts';

const GOOD = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood';
const ANOTHER = 'GET /smuggled HTTP/1.1\r\n\r\n';

/** A body that comes piece by piece, each on the wire before the next is read; then the error, where there is one. */
function dripping(pieces: readonly string[], error?: Error): Readable {
  const drip = async function* () {
    for (const piece of pieces) {
      yield Buffer.from(piece);
      for (let turns = 0; turns < 20; turns++) await turn();
    }
    if (error !== undefined) throw error;
  };
  return Readable.from(drip(), { objectMode: false });
}

test('a body that is read as it is sent leaves its connection to the next request', async () => {
  const sockets = new Set<Socket>();
  await using server = await answering(async (request, response) => {
    sockets.add(request.socket);
    response.end(Buffer.concat(await request.toArray()));
  });
  using connections = new Connections(new AbortController().signal);
  const body = { length: 5, open: () => Readable.from([Buffer.from('hel'), Buffer.from('lo')]) };
  for (let times = 0; times < 3; times++) {
    assert.equal((await take(server.url, { connections, method: 'POST', body })).body, 'hello');
  }
  assert.equal(sockets.size, 1);
});

const BROKEN: Readonly<Record<string, { readonly open: () => Readable; readonly why: RegExp }>> = {
  'shorter than it says': { open: () => dripping(['he', 'l']), why: /was 5 bytes long and is 3: it changed/ },
  'nothing at all': { open: () => dripping([]), why: /was 5 bytes long and is 0/ },
  'longer than it says': { open: () => dripping(['hello', ANOTHER]), why: /was 5 bytes long/ },
  'broken in the middle': {
    open: () => dripping(['he'], Object.assign(new Error('disk'), { code: 'EIO' })),
    why: /could not be read to its end \(EIO\)/,
  },
  'broken at its beginning': {
    open: () => dripping([], new Failure('the file is gone')),
    why: /^the file is gone$/,
  },
  'closed in the middle': {
    open: () => {
      const source = new Readable({ read: () => {} });
      source.push('he');
      return source.once('data', () => setImmediate(() => source.destroy()));
    },
    why: /could not be read to its end/,
  },
  'not to be opened': {
    open: () => {
      throw new Failure('there is no such file');
    },
    why: /^there is no such file$/,
  },
};

for (const [what, { open, why }] of Object.entries(BROKEN)) {
  test(`a body that is ${what} ends with an error, is never passed for whole, and nothing follows it`, async () => {
    // The head is not answered: whoever takes a broken body for sent waits until the time is up.
    await using server = await Turns.start('', GOOD);
    using connections = new Connections(new AbortController().signal);
    const sent = take(server.url, {
      connections,
      method: 'POST',
      body: { length: 5, open },
      timeoutMs: 2000,
    });
    await assert.rejects(sent, (error) => {
      assert.ok(error instanceof Failure, String(error));
      assert.match(error.message, why);
      return true;
    });
    assert.equal((await take(server.url, { connections })).body, 'good');
    const [first = '', second] = server.heard;
    assert.ok('hello'.startsWith(first.split('\r\n\r\n').slice(1).join('\r\n\r\n')), first);
    assert.match(second ?? '', /^GET \/ /);
  });
}

test('an answer that comes before all is sent is believed, and the rest is neither read nor sent', async () => {
  await using server = await Turns.start('', GOOD);
  using connections = new Connections(new AbortController().signal);
  const piece = Buffer.alloc(65_536);
  const source = new Readable({ read: () => void source.push(piece) });
  const body = { length: 1e12, open: () => source };
  const asked = take(server.url, { connections, method: 'POST', body });
  await server.arrived(1);
  while (!source.readableDidRead) await turn();
  server.sockets[0]?.write(GOOD);
  assert.equal((await inTime(asked)).body, 'good');
  await inTime(closed(server.sockets[0]), 2);
  assert.ok(source.destroyed);
  assert.equal((await take(server.url, { connections })).body, 'good');
  assert.equal(server.heard.length, 2);
});

test('a body that was held in memory is sent whole, whatever its letters', async () => {
  await using server = await Turns.start(GOOD, GOOD);
  const bytes = Buffer.from([0, 13, 10, 13, 255, 128]);
  for (const body of ['Grüße', bytes]) await take(server.url, { method: 'POST', body });
  assert.match(server.heard[0] ?? '', /content-length: 7\r\n.*\r\n\r\nGr\xc3\xbc\xc3\x9fe$/s);
  assert.match(server.heard[1] ?? '', /content-length: 6\r\n.*\r\n\r\n\0\r\n\r\xff\x80$/s);
});

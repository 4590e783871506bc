import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InterruptedError } from '../src/errors.ts';
import { Connections } from '../src/http/connections.ts';
import { send } from '../src/http/http.ts';
import { inTime } from './support/promptly.ts';
import { closed, Turns, take } from './support/wire.ts';

const GOOD = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood';
const EVIL = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n';

// Sooner than a time-out or an idle connection's end would come to the help of what is wrong.
const soon = <T>(work: Promise<T>) => inTime(work, 2);
const open = () => new Connections(new AbortController().signal);

const KEPT: readonly (readonly [what: string, wire: string, method?: string])[] = [
  ['a length', GOOD],
  ['chunks', CHUNKED],
  ['no length at all, to a HEAD', 'HTTP/1.1 200 OK\r\n\r\n', 'HEAD'],
  ['204', 'HTTP/1.1 204 None\r\n\r\n'],
  ['304', 'HTTP/1.1 304 Same\r\nContent-Length: 4\r\n\r\n'],
  ['words before it', `HTTP/1.1 100 Go\r\nConnection: close\r\n\r\n${GOOD}`],
];

for (const [what, wire, method = 'GET'] of KEPT) {
  test(`a connection serves the next request after an answer with ${what}`, async () => {
    await using server = await Turns.start(wire, GOOD);
    using connections = open();
    await take(server.url, { connections, method });
    assert.equal((await take(server.url, { connections })).body, 'good');
    assert.equal(server.heard.length, 1);
    assert.match(
      server.heard[0] ?? '',
      /connection: keep-alive\r\n\r\nGET .*connection: keep-alive\r\n\r\n$/s,
    );
  });
}

const ENDED: readonly (readonly [what: string, wire: string, method?: string])[] = [
  ['Connection: close', GOOD.replace('\r\n', '\r\nConnection: Close\r\n')],
  ['close among other words', CHUNKED.replace('\r\n', '\r\nConnection: x, close\r\n')],
  ['HTTP/1.0', GOOD.replace('1.1', '1.0')],
  ['bytes after its end', `${GOOD}\r\n`],
  ['a second answer after it', `${GOOD}${EVIL}`],
  ['a second answer after its chunks', `${CHUNKED}${EVIL}`],
  ['a second answer in place of the body of a 204', `HTTP/1.1 204 None\r\nContent-Length: 74\r\n\r\n${EVIL}`],
  ['a body that a HEAD does not have', EVIL, 'HEAD'],
];

for (const [what, wire, method = 'GET'] of ENDED) {
  test(`a connection is closed, and serves nobody else, after an answer with ${what}`, async () => {
    await using server = await Turns.start(wire, GOOD);
    using connections = open();
    await take(server.url, { connections, method });
    assert.equal((await take(server.url, { connections })).body, 'good');
    assert.equal(server.heard.length, 2);
    await soon(closed(server.sockets[0]));
  });
}

test('a connection that ended the answer serves nobody else', async () => {
  await using server = await Turns.start('HTTP/1.1 200 OK\r\n\r\nall', GOOD);
  using connections = open();
  const first = take(server.url, { connections });
  await server.arrived(1);
  server.sockets[0]?.end();
  assert.equal((await first).body, 'all');
  assert.equal((await take(server.url, { connections })).body, 'good');
  assert.equal(server.heard.length, 2);
});

test('a connection that nobody keeps is closed with its answer, be it right or wrong', async () => {
  for (const wire of [GOOD, CHUNKED, 'SSH-2.0-x', `${GOOD}${EVIL}`]) {
    await using server = await Turns.start(wire);
    await take(server.url).catch(() => {});
    await soon(closed(server.sockets[0]));
    assert.match(server.heard[0] ?? '', /\r\nconnection: close\r\n/);
  }
});

for (const [what, say] of Object.entries({ 'says something unasked': EVIL, 'hangs up': undefined })) {
  test(`a server that ${what} while nothing is asked is heard no more, and the next request is answered`, async () => {
    await using server = await Turns.start(GOOD, GOOD);
    using connections = open();
    await take(server.url, { connections });
    const [socket] = server.sockets;
    if (say === undefined) socket?.end();
    else socket?.write(say);
    await soon(closed(socket));
    assert.equal((await take(server.url, { connections })).body, 'good');
    assert.equal(server.heard.length, 2);
  });
}

test('a connection whose answer nobody wanted to the end is closed, and serves nobody else', async () => {
  await using server = await Turns.start('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf', GOOD);
  using connections = open();
  const unread = await send({ method: 'GET', origin: server.url, path: '/', timeoutMs: 5000, connections });
  unread.body.destroy();
  await soon(closed(server.sockets[0]));
  assert.equal((await take(server.url, { connections })).body, 'good');
  assert.equal(server.heard.length, 2);
});

test('so many requests at a time have so many connections, and those that follow have the same', async () => {
  await using server = await Turns.start(...Array(5).fill(''), ...Array(5).fill(GOOD));
  using connections = open();
  const asked = Array.from({ length: 5 }, () => take(server.url, { connections }));
  await server.arrived(5);
  for (const socket of server.sockets) socket.write(GOOD);
  for (const { body } of await Promise.all(asked)) assert.equal(body, 'good');
  await Promise.all(Array.from({ length: 5 }, () => take(server.url, { connections })));
  assert.equal(server.heard.length, 5);
});

test('a connection leads to one origin, and is given to no other', async () => {
  await using one = await Turns.start(GOOD, GOOD);
  await using other = await Turns.start(EVIL);
  using connections = open();
  assert.equal((await take(one.url, { connections })).body, 'good');
  assert.equal((await take(other.url, { connections })).body, 'evil');
  assert.equal((await take(one.url, { connections })).body, 'good');
  assert.deepEqual([one.heard.length, other.heard.length], [1, 1]);
});

test('the signal ends what is on its way and all that would follow, with its own reason', async () => {
  await using server = await Turns.start('', '', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf', GOOD);
  const stop = new AbortController();
  const connections = new Connections(stop.signal);
  const asked = Array.from({ length: 4 }, () => take(server.url, { connections }).catch((error) => error));
  await server.arrived(4);
  assert.equal(await Promise.any(asked.map(bodyOf)), 'good');
  const reason = new InterruptedError('SIGINT');
  stop.abort(reason);
  const ended = await soon(Promise.all(asked));
  assert.equal(ended.filter((error) => error === reason).length, 3);
  await assert.rejects(take(server.url, { connections }), reason);
  await soon(Promise.all(server.sockets.map(closed)));
  assert.equal(server.heard.length, 4);
});

async function bodyOf(asked: Promise<{ body?: string }>): Promise<string> {
  const { body } = await asked;
  if (body === undefined) throw new Error('it was not answered');
  return body;
}

for (const reason of [new InterruptedError('SIGTERM'), 'enough', null, 7]) {
  test(`a signal of one request ends it, whatever its reason is: ${reason}`, async () => {
    await using server = await Turns.start('');
    const stop = new AbortController();
    const asked = take(server.url, { signal: stop.signal });
    await server.arrived(1);
    stop.abort(reason);
    await assert.rejects(soon(asked), (error) => !/not over within/.test(String(error)));
    await soon(closed(server.sockets[0]));
  });
}

test('what is disposed of closes its connections, those in use and those that wait, and opens no more', async () => {
  await using server = await Turns.start(GOOD, '', GOOD, GOOD);
  const connections = open();
  await take(server.url, { connections });
  const asked = [take(server.url, { connections }), take(server.url, { connections })];
  await server.arrived(3);
  await asked[1];
  connections[Symbol.dispose]();
  await assert.rejects(soon(Promise.all(asked)));
  await soon(Promise.all(server.sockets.map(closed)));
  await assert.rejects(take(server.url, { connections }));
});

test('a request that crosses with the end of its connection goes over a new one, unless it might be done twice', async () => {
  for (const method of ['GET', 'PUT', 'POST']) {
    await using server = await Turns.start(GOOD, '', GOOD.replaceAll('good', 'anew'));
    using connections = open();
    await take(server.url, { connections });
    const second = take(server.url, { connections, method, body: 'x' });
    second.catch(() => {});
    await server.arrived(2);
    server.sockets[1]?.destroy();
    if (method === 'POST') await assert.rejects(second, /connection was cut/);
    else assert.equal((await second).body, 'anew');
    assert.equal(server.heard.length, method === 'POST' ? 1 : 2);
  }
});

test('a new connection that ends without an answer is not asked again, nor one that has begun to answer', async () => {
  await using silent = await Turns.start('');
  using connections = open();
  const first = take(silent.url, { connections });
  first.catch(() => {});
  await silent.arrived(1);
  silent.sockets[0]?.destroy();
  await assert.rejects(first, /connection was cut/);
  await using begun = await Turns.start(GOOD, 'HTTP/1.1 200', GOOD);
  await take(begun.url, { connections });
  const second = take(begun.url, { connections });
  second.catch(() => {});
  await begun.arrived(2);
  begun.sockets[1]?.end();
  await assert.rejects(second, /connection was cut/);
  assert.deepEqual([silent.heard.length, begun.heard.length], [1, 1]);
});

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ConnectionError } from '../src/errors.ts';
import { readWhole } from '../src/http/decoding.ts';
import { send } from '../src/http/http.ts';
import { World } from './support/cli.ts';
import { inTime } from './support/promptly.ts';
import { RawServer } from './support/raw-server.ts';
import { startTlsServer } from './support/tls.ts';
import { closed, saying, Turns, take } from './support/wire.ts';

const MANY = 3_000_000;
const tooLong = () => new Error('the answer is too long');
const SILENCE = /said nothing for 0\.1 s$/;

/** What is on the wire is read this much later than the server may be silent for. */
const readLate = () => pause(400);

test('a reader that lets an answer lie for longer than a server may be silent gets the rest of it', async () => {
  await using server = await saying([`HTTP/1.1 200 OK\r\nContent-Length: ${MANY}\r\n\r\n`, 'x'.repeat(MANY)]);
  const { body } = await send({ method: 'GET', origin: server.url, path: '/', timeoutMs: 100 });
  await readLate();
  assert.equal((await readWhole(body, MANY, tooLong)).length, MANY);
});

test('a server that falls silent is given up, whether its reader was late or not', async () => {
  const half = [`HTTP/1.1 200 OK\r\nContent-Length: ${MANY}\r\n\r\n`, 'x'.repeat(MANY / 2)];
  for (const begin of [async () => {}, readLate]) {
    await using server = await Turns.start(half.join(''));
    const { body } = await send({ method: 'GET', origin: server.url, path: '/', timeoutMs: 100 });
    await begin();
    await assert.rejects(inTime(readWhole(body, MANY, tooLong)), SILENCE);
    await inTime(closed(server.sockets[0]));
  }
});

for (const [where, said] of Object.entries({ 'at once': '', 'in its head': 'HTTP/1.1 200 OK\r\nA: b' })) {
  test(`a server that says nothing is given up: ${where}`, async () => {
    await using server = await Turns.start(said);
    await assert.rejects(inTime(take(server.url, { timeoutMs: 100 })), SILENCE);
    await inTime(closed(server.sockets[0]));
  });
}

test('a server that says nothing of TLS is given up', async () => {
  await using server = await RawServer.start(() => {});
  await assert.rejects(inTime(take(server.url.replace('http', 'https'), { timeoutMs: 100 })), SILENCE);
});

test('nothing is sent to a server whose certificate is not trusted', async () => {
  await using world = await World.create();
  const heard: string[] = [];
  await using server = await startTlsServer(world.home, (request, response) => {
    heard.push(request.url ?? '');
    response.end();
  });
  for (const host of ['localhost', '127.0.0.1']) {
    const asked = take(`https://${host}:${server.port}`, { method: 'POST', body: 'secret' });
    await assert.rejects(asked, (error) => {
      assert.ok(error instanceof ConnectionError, String(error));
      assert.match(error.message, /certificate of .* could not be verified \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
      assert.equal(error.wasSent, false);
      return true;
    });
  }
  assert.deepEqual(heard, []);
});

test('several requests go over one connection of TLS, by name and by address', async () => {
  await using world = await World.create();
  const sockets = new Set<Socket>();
  await using server = await startTlsServer(world.home, (request, response) => {
    sockets.add(request.socket);
    response.end(`${request.headers.host}${request.url} `);
  });
  const asking = fileURLToPath(new URL('support/tls-asking.ts', import.meta.url));
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: server.certificate };
  for (const host of ['localhost', '127.0.0.1']) {
    sockets.clear();
    const at = `${host}:${server.port}`;
    const argv = ['--import', 'tsx', asking, `https://${at}`, '/1', '/2', '/3'];
    const { stdout } = await promisify(execFile)(process.execPath, argv, { env });
    assert.equal(stdout, `${at}/1 ${at}/2 ${at}/3 `);
    assert.equal(sockets.size, 1);
  }
});

test('a proxy that lets us through and breaks the connection is told of at once, whenever it breaks it', async () => {
  for (const turns of [0, 1, 2, 5, 10]) {
    await using proxy = await RawServer.start(async (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      for (let turn = 0; turn < turns; turn++) await pause(0);
      socket.resetAndDestroy();
    });
    const argv = ['--import', 'tsx', fileURLToPath(new URL('support/tls-asking.ts', import.meta.url))];
    const env = { ...process.env, HTTPS_PROXY: proxy.url };
    // The process is a new one, which has yet to load what TLS is made of when the proxy answers.
    const ended = promisify(execFile)(process.execPath, [...argv, 'https://podio.invalid', '/'], { env });
    await assert.rejects(ended, /ConnectionError: the connection (was cut by|to the proxy)/);
  }
});

test('where a connection of TLS could not be kept, the next begins where it left off', async () => {
  await using world = await World.create();
  const reused: boolean[] = [];
  await using server = await startTlsServer(world.home, ({ socket }, response) => {
    reused.push(socket instanceof TLSSocket && socket.isSessionReused());
    response.setHeader('connection', 'close').end('x');
  });
  const asking = fileURLToPath(new URL('support/tls-asking.ts', import.meta.url));
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: server.certificate };
  const argv = ['--import', 'tsx', asking, `https://localhost:${server.port}`, '/1', '/2', '/3'];
  await promisify(execFile)(process.execPath, argv, { env });
  assert.deepEqual(reused, [false, true, true]);
});

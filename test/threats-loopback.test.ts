import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { World } from './support/cli.ts';
import { fakeBrowser } from './support/fake-browser.ts';
import { inTime } from './support/promptly.ts';
import { callback, grant, startWebLogin, type WebLogin } from './support/web-login.ts';

interface Knock {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
}

/** One request to the port of a login; answers the status, 0 where the connection was closed without one. */
function knock({ redirectUri }: WebLogin, { method = 'GET', path, headers }: Knock): Promise<number> {
  const { host, port } = redirectUri;
  const options = { host: '127.0.0.1', port, method, path, headers: { host, ...headers }, agent };
  return new Promise((resolve) => {
    const wire = request(options, (response) => {
      response.resume().once('close', () => resolve(response.statusCode ?? 0));
    });
    wire.once('error', () => resolve(0));
    wire.end();
  });
}

const agent = new Agent({ keepAlive: true });

/** What a stranger might try, one after the other. */
function badKnocks(login: WebLogin): Knock[] {
  const path = login.redirectUri.pathname;
  const right = callback(login, { code: 'theirs', state: login.state });
  const query = (state: string) => `${path}?code=theirs&state=${state}`;
  return [
    { path: '/' },
    { path: '/favicon.ico' },
    { path: `/callback${right.search}` },
    { path: `${path}/${right.search}` },
    { path: `/${right.search}` },
    { path: `${path}%20${right.search}` },
    { path: query('') },
    { path: query('0'.repeat(login.state.length)) },
    { path: query(login.state.slice(0, -1)) },
    { path: query(`${login.state}x`) },
    { path: `${path}?error=access_denied` },
    { path: `${path}?error=access_denied&state=${login.state.toLowerCase()}` },
    { path: `${path}?code=${'x'.repeat(8000)}&state=y` },
    { path: right.href },
    ...['POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE'].map((method) => ({
      method,
      path: right.pathname + right.search,
    })),
    ...['evil.example', `evil.example:${login.redirectUri.port}`, `localhost:${login.redirectUri.port}`].map(
      (host) => ({ path: right.pathname + right.search, headers: { host } }),
    ),
  ];
}

test('threat 16: ten thousand bad requests are answered and ignored, and the right one still wins', async () => {
  await using world = await World.create();
  using login = await startWebLogin(world);
  const bad = badKnocks(login);
  let sent = 0;
  const worker = async () => {
    while (sent < 10_000) {
      const tried = bad[sent++ % bad.length] ?? { path: '/' };
      const status = await knock(login, tried);
      assert.ok(status === 403 || status === 400, `status ${status} for ${JSON.stringify(tried)}`);
    }
  };
  await Promise.all(Array.from({ length: 20 }, worker));
  assert.equal((await fetch(await grant(world, login))).status, 200);
  assert.equal((await inTime(login.ended, 60)).exit, 0);
  assert.ok(sent >= 10_000);
});

test('threat 16: what is no HTTP, what never ends and what only listens does not hold up the login', async () => {
  await using world = await World.create();
  using login = await startWebLogin(world);
  const right = callback(login, { code: 'theirs', state: login.state });
  const sockets = await Promise.all(
    Array.from({ length: 200 }, async (_, at) => {
      const socket: Socket = connect(Number(login.redirectUri.port), '127.0.0.1').on('error', () => {});
      await once(socket, 'connect');
      if (at % 5 === 4) socket.write(`GET ${right.pathname}${right.search} HTTP/1.0\r\n\r\n`);
      if (at % 5 === 1) socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ');
      if (at % 5 === 2) socket.write('\u0016\u0003\u0001 no HTTP at all\r\n\r\n');
      if (at % 5 === 3) socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n');
      return socket;
    }),
  );
  assert.equal((await fetch(await grant(world, login))).status, 200);
  // The process ends though all of them are still there.
  assert.equal((await inTime(login.ended, 60)).exit, 0);
  for (const socket of sockets) socket.destroy();
});

test('threat 16: nobody but this machine can knock at all', async () => {
  await using world = await World.create();
  using login = await startWebLogin(world);
  const port = Number(login.redirectUri.port).toString(16).toUpperCase().padStart(4, '0');
  const listening = ['tcp', 'tcp6']
    .flatMap((name) => readFileSync(`/proc/${login.child.pid}/net/${name}`, 'utf8').split('\n'))
    .flatMap((line) => /^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ 0A /.exec(line)?.slice(1, 3).join(':') ?? [])
    .filter((place) => place.endsWith(`:${port}`));
  assert.deepEqual(listening, [`0100007F:${port}`]);
  login.child.kill('SIGINT');
  assert.equal((await login.ended).exit, 130);
});

test('threat 17: the browser gets the address as one word, no secret in it, in its surroundings or in any process', async () => {
  await using world = await World.create();
  await using fake = await fakeBrowser(world.home);
  const hostile = `a&b|c^d%e"f'g$(touch ${join(world.home, 'sprung')})`;
  using login = await startWebLogin(world, ['--client-id', hostile], {
    env: { BROWSER: fake.command, PODIO_CLIENT_ID: hostile },
  });
  const { words, env } = await fake.opened();
  assert.deepEqual(words, [login.url]);
  assert.equal(new URL(login.url).searchParams.get('client_id'), hostile);
  for (const secret of world.sandbox.secrets) assert.ok(!`${words}\n${env}`.includes(secret));
  assert.doesNotMatch(env, /PODIO_(CLIENT|APP|USERNAME|PASSWORD|ACCESS)/);
  assert.ok(!readdirSync(world.home).includes('sprung'));
  login.child.kill('SIGINT');
  assert.equal((await login.ended).exit, 130);
});

test('threat 17: a code that somebody reads in the history is spent', async () => {
  await using world = await World.create();
  using login = await startWebLogin(world);
  const address = await grant(world, login);
  await fetch(address);
  assert.equal((await login.ended).exit, 0);
  using again = await startWebLogin(world);
  const code = new URL(address).searchParams.get('code') ?? '';
  await fetch(callback(again, { code, state: again.state }));
  const { exit, stderr } = await again.ended;
  assert.equal(exit, 3);
  assert.match(stderr, /Podio refused the login/);
});

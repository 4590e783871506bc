import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { World } from './support/cli.ts';
import { fails, succeeds } from './support/commands.ts';
import { RealProxy } from './support/proxy.ts';
import { RawServer } from './support/raw-server.ts';
import { startTlsServer } from './support/tls.ts';

// Loopback is never asked for through a proxy; this machine by its own name is, and its certificate must have that name.
const HOST = hostname();

async function apiOn(world: World) {
  const server = await startTlsServer(
    world.home,
    (request, response) => {
      request.resume();
      response.end(JSON.stringify({ path: request.url, token: request.headers.authorization }));
    },
    HOST,
  );
  const api = `https://${HOST}:${server.port}`;
  const env = {
    PODIO_ACCESS_TOKEN: 'token-of-mine',
    PODIO_API_URL: api,
    NODE_EXTRA_CA_CERTS: server.certificate,
  };
  return { api, env, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

test('a call goes through a real proxy, by whichever variable names it, and past it where NO_PROXY says so', async () => {
  await using world = await World.create();
  await using proxy = await RealProxy.start(world.home);
  await using api = await apiOn(world);
  const url = `http://127.0.0.1:${proxy.port}`;
  const variables: readonly Record<string, string>[] = [
    { HTTPS_PROXY: url },
    { https_proxy: url },
    { ALL_PROXY: url },
    { all_proxy: `127.0.0.1:${proxy.port}` },
  ];
  for (const variable of variables) {
    const answer = succeeds(await world.run(['call', '/x'], { env: { ...api.env, ...variable } }));
    assert.deepEqual(JSON.parse(answer), { path: '/x', token: 'OAuth2 token-of-mine' });
  }
  assert.deepEqual(
    proxy.asked,
    variables.map(() => `CONNECT ${new URL(api.api).host}`),
  );
  for (const past of [{ NO_PROXY: HOST }, { no_proxy: '*' }]) {
    succeeds(await world.run(['call', '/x'], { env: { ...api.env, HTTPS_PROXY: url, ...past } }));
  }
  assert.equal(proxy.asked.length, variables.length);
});

test('a proxy that wants a password gets it, and it is told to nobody', async () => {
  await using world = await World.create();
  await using proxy = await RealProxy.start(world.home, 'ada pass-word');
  await using api = await apiOn(world);
  const run = (login: string) => {
    const env = { ...api.env, HTTPS_PROXY: `http://${login}127.0.0.1:${proxy.port}`, DEBUG: '*' };
    return world.run(['call', '/x', '-v'], { env });
  };
  const good = await run('ada:pass-word@');
  succeeds(good);
  assert.doesNotMatch(good.stderr, /pass-word|YWRhOn/);
  for (const login of ['', 'ada:wrong-word@']) {
    const { exit, stderr } = await run(login);
    assert.equal(exit, 7);
    assert.match(stderr, /the proxy did not let us through to .+ \(HTTP 40[17]\)\nhint: .*NAME:PASSWORD/);
    assert.doesNotMatch(stderr, /wrong-word/);
  }
});

test('a certificate that is not trusted is explained, through a proxy or not', async () => {
  await using world = await World.create();
  await using proxy = await RealProxy.start(world.home);
  await using api = await apiOn(world);
  for (const HTTPS_PROXY of [undefined, `http://127.0.0.1:${proxy.port}`]) {
    const env = { ...api.env, NODE_EXTRA_CA_CERTS: undefined, HTTPS_PROXY };
    fails(
      await world.run(['call', '/x'], { env }),
      7,
      /certificate of .+ could not be verified/,
      /NODE_EXTRA_CA_CERTS/,
    );
  }
});

test('a proxy that is not there, is none, or talks without end is named as the trouble', async () => {
  await using world = await World.create();
  await using endless = await RawServer.start((socket) => {
    const pour = () => {
      while (!socket.destroyed && socket.write(`X: ${'x'.repeat(1000)}\r\n`));
    };
    socket.write('HTTP/1.1 200 OK\r\n');
    socket.on('drain', pour);
    pour();
  });
  const env = { PODIO_ACCESS_TOKEN: 'x', PODIO_API_URL: undefined };
  const call = (HTTPS_PROXY: string) => world.run(['call', '/x'], { env: { ...env, HTTPS_PROXY } });
  fails(
    await call('http://127.0.0.1:1'),
    7,
    /connection to the proxy 127\.0\.0\.1:1 failed \(ECONNREFUSED\)/,
  );
  fails(await call('socks5://127.0.0.1:1'), 2, /not the URL of an HTTP proxy/, /SOCKS/);
  fails(await call(endless.url), 7, /connection to the proxy .* failed \(HPE_HEADER_OVERFLOW\)/);
});

test('a batch keeps the few tunnels open that it has through a proxy', async () => {
  await using world = await World.create();
  await using proxy = await RealProxy.start(world.home);
  await using api = await apiOn(world);
  const env = { ...api.env, HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
  const stdin = 'GET /x\n'.repeat(40);
  const answers = succeeds(await world.run(['batch', '-', '--concurrency', '2'], { env, stdin }));
  assert.equal(answers.match(/"status":200/g)?.length, 40);
  const tunnel = `CONNECT ${new URL(api.api).host}`;
  assert.deepEqual(proxy.asked, [tunnel, tunnel]);
});

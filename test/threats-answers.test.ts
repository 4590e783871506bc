import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { answering } from './support/answering.ts';
import { type Outcome, type RunOptions, World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds, treeOf } from './support/commands.ts';
import { promptly } from './support/promptly.ts';
import { RawServer } from './support/raw-server.ts';

const MIB = 1024 * 1024;
const ZEROS = Buffer.alloc(32 * MIB, ' ');

// A gigabyte each, in a megabyte or less; a gzip file may have several parts.
const BOMBS: Readonly<Record<string, () => Buffer>> = {
  gzip: () => Buffer.concat(Array.from({ length: 32 }, () => gzipSync(ZEROS))),
  br: () =>
    brotliCompressSync(Buffer.alloc(256 * MIB, ' '), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  deflate: () => deflateSync(Buffer.alloc(256 * MIB, ' ')),
};

/** Runs a command, and makes sure that it never took more memory than a few times what it takes at rest. */
async function runSmall(world: World, words: readonly string[], { env }: RunOptions): Promise<Outcome> {
  const [hook, file] = [join(world.home, 'hook.cjs'), join(world.home, 'peak')];
  const tell = `fs.writeFileSync(${JSON.stringify(file)}, fs.readFileSync('/proc/self/status'))`;
  writeFileSync(hook, `const fs = require('fs'); process.on('exit', () => ${tell})`);
  const outcome = await promptly(world, words, { env: { ...env, NODE_OPTIONS: `--require ${hook}` } });
  // The memory's high-water mark; that of resourceUsage() counts what the parent had, too.
  const peak = Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync(file, 'utf8'))?.[1]) / 1024;
  assert.ok(peak > 20 && peak < 150, `${words.join(' ')} took ${peak} MiB`);
  return outcome;
}

/** What each command does where every answer is like this one: it fails, and leaves alone what is stored. */
async function allFail(status: number, respond: (response: ServerResponse) => void): Promise<void> {
  await using world = await loggedIn();
  await using api = await answering((request, response) => {
    request.resume();
    response.on('error', () => {});
    respond(response);
  });
  const sessions = () => treeOf(join(world.home, '.local'));
  const before = sessions();
  const at = { env: { PODIO_API_URL: api.url } };
  const bare = { env: { ...at.env, PODIO_ACCESS_TOKEN: 'token' } };
  const output = join(world.home, 'output');
  fails(await runSmall(world, ['login', '--app'], at), 5, /too (long|much)/);
  fails(await runSmall(world, ['call', '/x', '-o', output], bare), 5, /too (long|much)/);
  if (status >= 300) fails(await runSmall(world, ['call', '/x'], bare), 5, /too (long|much)/);
  assert.ok(!existsSync(output));
  assert.deepEqual(sessions(), before);
}

for (const [encoding, bomb] of Object.entries(BOMBS)) {
  test(`threat 19: a ${encoding} bomb ends in an error and not in memory or on the disk`, async () => {
    const body = bomb();
    assert.ok(body.length < 2 * MIB);
    for (const status of [200, 503])
      await allFail(status, (response) => {
        response
          .writeHead(status, { 'content-encoding': encoding, 'content-type': 'application/json' })
          .end(body);
      });
  });
}

test('threat 19: an error or a token that never ends is not waited for', async () => {
  const piece = Buffer.alloc(64 * 1024, ' ');
  const pour = (response: ServerResponse) => {
    while (!response.destroyed && response.write(piece));
    response.once('drain', () => pour(response));
  };
  await using world = await loggedIn();
  await using api = await answering((_, response) => {
    response.on('error', () => {}).writeHead(500);
    pour(response);
  });
  const at = { env: { PODIO_API_URL: api.url } };
  fails(await runSmall(world, ['login', '--app'], at), 5, /too long/);
  const bare = { env: { ...at.env, PODIO_ACCESS_TOKEN: 'token' } };
  fails(await runSmall(world, ['call', '/x'], bare), 5, /too much/);
});

test('threat 19: heads without end are not read to their end', async () => {
  const pour = (socket: Socket, piece: string) => {
    while (!socket.destroyed && socket.write(piece));
    socket.once('drain', () => pour(socket, piece));
  };
  for (const piece of ['x'.repeat(65_536), 'X-Header: x\r\n'.repeat(5000)]) {
    await using world = await World.create();
    await using api = await RawServer.start((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nX-Header: ');
      pour(socket, piece);
    });
    const env = { PODIO_API_URL: api.url, PODIO_ACCESS_TOKEN: 'token' };
    fails(await runSmall(world, ['call', '/x'], { env }), 5, /could not be read \(HPE_HEADER_OVERFLOW\)/);
  }
});

test('threat 19: a token endpoint that drips holds nobody up for longer than ten seconds', async () => {
  const drops = { head: 'X', informational: 'HTTP/1.1 102 Processing\r\n\r\n', body: ' ' };
  const drip = async (drop: string) => {
    await using world = await loggedIn();
    const before = treeOf(join(world.home, '.local'));
    await using api = await RawServer.start((socket) => {
      if (drop !== drops.informational) socket.write('HTTP/1.1 200 OK\r\nA: ');
      if (drop === drops.body) socket.write('b\r\nContent-Length: 10000\r\n\r\n');
      const tap = setInterval(() => socket.write(drop), 100).unref();
      socket.once('close', () => clearInterval(tap));
    });
    const login = await promptly(world, ['login', '--app'], { env: { PODIO_API_URL: api.url } });
    fails(login, 7, /said nothing for 10 s/);
    assert.deepEqual(treeOf(join(world.home, '.local')), before);
  };
  await Promise.all(Object.values(drops).map(drip));
});

test('threat 19: a proxy that says nothing is given up as any server is', async () => {
  await using world = await World.create();
  await using proxy = await RawServer.start(() => {});
  const env = { PODIO_ACCESS_TOKEN: 'token', PODIO_API_URL: undefined, HTTPS_PROXY: proxy.url };
  const called = await promptly(world, ['call', '/x', '--timeout', '0.5'], { env, seconds: 10 });
  fails(called, 7, /api\.podio\.com said nothing for 0\.5 s/);
});

test('threat 19: tokens, lives and waits of impossible size are not believed', async () => {
  await using world = await World.create();
  let tokens = '';
  await using source = await answering((request, response) => {
    if (request.url === '/oauth/token') response.end(tokens);
    else response.writeHead(420, { 'retry-after': '9'.repeat(30) }).end('{}');
  });
  const env = { PODIO_API_URL: source.url };
  tokens = `{"access_token":"${'a'.repeat(100_000)}","refresh_token":"r","expires_in":9}`;
  fails(await world.podio(['login', '--app'], { env }), 5, /without a token/);
  for (const life of ['1e999', '-1e999', '1e300', '1e15', '-5', '"9"', 'null']) {
    tokens = `{"access_token":"a","refresh_token":"r","expires_in":${life},"scope":"${'s'.repeat(100_000)}"}`;
    succeeds(await world.podio(['login', '--app'], { env }));
    assert.equal(succeeds(await world.podio(['token'], nothingSet(env))), 'a\n');
    assert.match(succeeds(await world.podio(['status', '--offline'], nothingSet(env))), /can be used/);
  }
  fails(await world.podio(['call', '/x'], nothingSet(env)), 6, /420/, /try again later/);
});

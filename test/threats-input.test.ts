import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Failure, PodioClient } from '../src/index.ts';
import { answering } from './support/answering.ts';
import { World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds, treeOf } from './support/commands.ts';
import { answer, RawServer } from './support/raw-server.ts';

const DATA = '.local/share/podio';
const POLLUTING = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'];

/** A JSON text with the content beneath such a key, which JSON.stringify would not write. */
function beneath(key: string, content: object): string {
  return `{${JSON.stringify(key)}:${JSON.stringify(content)}}`;
}

function unpolluted(): void {
  const names = Object.getOwnPropertyNames(Object.prototype).filter((name) => !NATIVE.has(name));
  assert.deepEqual(names, []);
  assert.equal(Reflect.get({}, 'access_token'), undefined);
}

const NATIVE = new Set(Object.getOwnPropertyNames(Object.prototype));

test('threat 10: what is stored beneath __proto__ and its like is nobody’s session, setting or identity', async () => {
  await using world = await loggedIn();
  for (const folder of ['sessions', 'identities', 'defaults']) {
    const [file = ''] = readdirSync(join(world.home, DATA, folder));
    const path = join(world.home, DATA, folder, file);
    const good = readFileSync(path, 'utf8');
    for (const key of POLLUTING) {
      writeFileSync(path, beneath(key, JSON.parse(good)));
      const { exit, stderr } = await world.podio(['call', '/item/123'], nothingSet());
      assert.ok([3, 8].includes(exit), `${folder} ${key}: ${exit} ${stderr}`);
      unpolluted();
    }
    writeFileSync(path, good);
  }
  mkdirSync(join(world.home, '.config/podio'), { recursive: true });
  for (const key of POLLUTING) {
    writeFileSync(
      join(world.home, '.config/podio/config.json'),
      beneath(key, { as: 'nobody', color: 'wrong' }),
    );
    succeeds(await world.podio(['call', '/item/123'], nothingSet()));
  }
  assert.deepEqual(
    world.sandbox.seen.map(({ path }) => path),
    POLLUTING.map(() => '/item/123'),
  );
});

test('threat 10: what Podio answers beneath __proto__ and its like is neither a token nor a message', async () => {
  await using world = await loggedIn();
  const tokens = { access_token: 'evil', refresh_token: 'evil', expires_in: 9, error_description: 'evil' };
  const before = treeOf(world.home);
  for (const key of POLLUTING) {
    const body = beneath(key, tokens);
    world.sandbox.clearRules();
    world.sandbox.rule({ path: '/oauth/token' }, { kind: 'fail', status: 200, body });
    world.sandbox.rule({ path: '/item/123' }, { kind: 'fail', status: 400, body });
    for (const words of [['login', '--app'], ['refresh'], ['call', '/item/123', '--silent']]) {
      const { exit, stderr } = await world.podio(words);
      assert.ok([4, 5].includes(exit), `${words} ${exit} ${stderr}`);
      assert.doesNotMatch(stderr, /evil/);
    }
    unpolluted();
  }
  assert.deepEqual(treeOf(world.home), before);
});

test('threat 10: a field of that name is a field like any other', async () => {
  await using world = await loggedIn();
  const names = POLLUTING.flatMap((name) => ['-f', `${name}[a][b]=1`, '-F', `x[${name}][]=2`]);
  await world.podio(['call', 'POST', '/x', ...names]);
  const sent = world.sandbox.seen[0]?.body ?? '';
  for (const name of POLLUTING) assert.ok(sent.includes(`"${name}":{"a":{"b":"1"}}`), sent);
  for (const name of POLLUTING) assert.ok(sent.includes(`"${name}":[2]`), sent);
  unpolluted();
});

test('threat 10: nesting 20,000 deep breaks nothing, wherever it comes from', async () => {
  await using world = await loggedIn();
  const deep = `${'{"a":['.repeat(20_000)}${']}'.repeat(20_000)}`;
  world.sandbox.rule({ path: '/ok' }, { kind: 'fail', status: 200, body: deep });
  world.sandbox.rule({ path: '/bad' }, { kind: 'fail', status: 400, body: deep });
  world.sandbox.rule({ path: '/oauth/token' }, { kind: 'fail', status: 400, body: deep });
  assert.equal(succeeds(await world.podio(['call', '/ok'])), deep);
  fails(await world.podio(['call', '/bad', '--silent']), 4, /HTTP 400/);
  fails(await world.podio(['login', '--app']), 5, /answered 400 and did not say why/);
  const [session = ''] = readdirSync(join(world.home, DATA, 'sessions'));
  const value = '['.repeat(20_000) + ']'.repeat(20_000);
  for (const field of [`a${'[b]'.repeat(20_000)}=1`, `a=${value}`]) {
    // How deep is too deep is for V8 to say; what it can write is sent, and Podio has no such operation.
    const { exit, stderr } = await world.podio(['call', 'POST', '/x', '-F', field]);
    assert.ok([2, 9].includes(exit), stderr);
  }
  writeFileSync(join(world.home, DATA, 'sessions', session), value);
  fails(await world.podio(['call', '/ok'], nothingSet()), 8, /damaged/);
});

const INJECTIONS = [
  ...[
    '\r\nX-Evil: 1',
    '\nX-Evil: 1',
    '\rX-Evil: 1',
    '\r\n\r\nGET /evil HTTP/1.1\r\nX-Evil: 1\r\n\r\n',
    '\0',
    '\u2028',
  ],
  // Cut to their lower byte, as Node once did, these are carriage return and line feed.
  '\u010d\u010aX-Evil: 1',
  '\u560d\u560aX-Evil: 1',
];

test('threat 15: no option, variable or file gets a line of its own into a request', async () => {
  await using api = await RawServer.start((socket) => socket.end(answer(400, [], '{"error":"x"}')));
  await using world = await World.create();
  const secret = join(world.home, 'secret');
  for (const evil of INJECTIONS) {
    writeFileSync(secret, `secret${evil}`);
    const key = ['--client-id', `id${evil}`, '--client-secret-file', secret];
    const token = { PODIO_API_URL: api.url, PODIO_ACCESS_TOKEN: 'token' };
    for (const [words, env] of [
      [['call', `/x${evil}`], token],
      [['call', `GET${evil}`, '/x'], token],
      [['call', '/x', '-H', `A: b${evil}`], token],
      [['call', '/x', '-H', `A${evil}: b`], token],
      [['call', '/x', '-f', `a${evil}=b${evil}`], token],
      [['call', 'POST', '/x', '-f', `a${evil}=b${evil}`], token],
      [['call', 'POST', '/x', '-d', JSON.stringify(evil)], token],
      [['call', `${api.url}${evil}/x`], token],
      [['call', '/x'], { ...token, PODIO_ACCESS_TOKEN: `token${evil}` }],
      [['call', '/x'], { ...token, PODIO_API_URL: `${api.url}${evil}` }],
      [['login', '--app', '1', '--token-file', secret, ...key], { PODIO_API_URL: api.url }],
      [
        ['login', '--password', '--username', 'a@b.c', '--password-file', secret, ...key],
        { PODIO_API_URL: api.url },
      ],
      [['login', '--password', '--username', `a${evil}`], { PODIO_API_URL: api.url, PODIO_PASSWORD: 'x' }],
    ] as const) {
      const { exit, stderr } = await world.podio(words, { env });
      assert.ok([2, 3, 4].includes(exit), `${JSON.stringify(words)} ${exit} ${stderr}`);
    }
  }
  assert.ok(api.heard.length > 20);
  for (const heard of api.heard) assert.doesNotMatch(heard, /[\r\n](X-Evil|GET \/evil)|^GET \/evil/i);
});

test('threat 15: the library lets no line into a request either, nor a token that would bring one', async () => {
  await using api = await RawServer.start((socket) => socket.end(answer(200, [], '{}')));
  await using source = await answering((_, response) => {
    response.end(JSON.stringify({ access_token: 'a\r\nX-Evil: 1', refresh_token: 'r', expires_in: 9 }));
  });
  for (const evil of INJECTIONS) {
    const client = (accessToken: string) =>
      new PodioClient({ clientId: 'any', apiUrl: api.url, accessToken });
    const attacks = [
      client('t').call({ method: `GET${evil}`, path: '/x' }),
      client('t').call({ method: 'GET', path: `/x${evil}` }),
      client('t').call({ method: 'GET', path: '/x', headers: { [`a${evil}`]: 'b' } }),
      client('t').call({ method: 'GET', path: '/x', headers: { a: `b${evil}` } }),
      client(`t${evil}`).call({ method: 'GET', path: '/x' }),
    ];
    for (const outcome of await Promise.allSettled(attacks)) assert.equal(outcome.status, 'rejected');
  }
  assert.deepEqual(
    api.heard.filter((heard) => heard !== ''),
    [],
  );
  const client = new PodioClient({ clientId: 'any', clientSecret: 'any', apiUrl: source.url });
  await assert.rejects(client.authenticateWithApp('1', 'token'), Failure);
});

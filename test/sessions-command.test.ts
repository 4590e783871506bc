import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { World } from './support/cli.ts';

const sessionFiles = (world: World) => readdirSync(join(world.home, '.local/share/podio/sessions'));

test('sessions list tells each identity, its manager and its state', async () => {
  await using world = await World.create();
  await world.podio(['login', '--app']);
  await world.podio(['login', '--password', '--name', 'ada']);
  const { stdout } = await world.podio(['sessions', 'list']);
  assert.deepEqual(stdout.trim().split('\n').toSorted(), [
    'app:123456\t-\tfile\tvalid',
    'password:ada@example.com\tada\tfile\tvalid',
  ]);
});

test('an export holds tokens only where they are revealed, and then has mode 0600', async () => {
  await using world = await World.create();
  await world.podio(['login', '--app']);
  const token = (await world.podio(['token'])).stdout.trim();
  const plain = await world.podio(['sessions', 'export']);
  assert.match(plain.stdout, /"identifier": "123456"/);
  assert.ok(!plain.stdout.includes(token));
  assert.equal((await world.podio(['sessions', 'export', '--reveal'])).exit, 2);
  const file = join(world.home, 'out.json');
  assert.equal((await world.podio(['sessions', 'export', '--reveal', '-o', file])).exit, 0);
  assert.ok(readFileSync(file, 'utf8').includes(token));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal((await world.podio(['sessions', 'export', '--reveal', '-o', file])).exit, 2);
});

test('an exported session works on another machine', async () => {
  await using world = await World.create();
  await world.podio(['login', '--app', '--name', 'work']);
  const file = join(world.home, 'out.json');
  await world.podio(['sessions', 'export', '--reveal', '-o', file]);
  const env = { PODIO_DATA_DIR: join(world.home, 'other'), PODIO_CLIENT_SECRET: undefined };
  assert.equal((await world.podio(['sessions', 'import', file], { env })).exit, 0);
  assert.equal((await world.podio(['--as', 'work', 'call', '/item/123'], { env })).exit, 0);
  assert.equal(world.sandbox.tokenRequests(), 1);
});

test('an import never replaces a newer session, and takes nothing that is no export', async () => {
  await using world = await World.create();
  await world.podio(['login', '--app']);
  const file = join(world.home, 'out.json');
  await world.podio(['sessions', 'export', '--reveal', '-o', file]);
  await world.podio(['refresh']);
  const token = (await world.podio(['token'])).stdout;
  const imported = await world.podio(['sessions', 'import', file]);
  assert.match(imported.stderr, /newer and stays/);
  assert.equal((await world.podio(['token'])).stdout, token);
  for (const text of [
    '',
    '{}',
    '{"version":1,"sessions":[{}]}',
    '{"version":1,"sessions":[{"record":{"version":1}}]}',
  ]) {
    writeFileSync(file, text);
    assert.equal((await world.podio(['sessions', 'import', file])).exit, 2, text);
  }
});

test('an import brings in nothing that a login would refuse: no API in clear, no name that stands for another identity', async () => {
  await using world = await World.create();
  const file = join(world.home, 'in.json');
  const record = {
    ...{ version: 1, api_url: world.sandbox.url, client_id: 'id', type: 'app', identifier: '1' },
    ...{ access_token: 'a', refresh_token: 'r', expires_in: 1, obtained_at: 1, scope: '' },
  };
  for (const bad of [
    ...['no URL', 'http://api.podio.com', 'https://api.podio.com/path'].map((api_url) => ({ api_url })),
    ...['', 'two\nlines', '\u001b[2J', 'x'.repeat(321)].map((identifier) => ({ identifier })),
    ...['a\r\nX-Evil: 1', '\u00e4'].map((access_token) => ({ access_token })),
    ...['app:123456', '--all', '\u001b[2J', '$(id)', '', 1].map((name) => ({ name })),
  ]) {
    const { name, ...changed } = { name: undefined, ...bad };
    const sessions = [{ record }, { name, record: { ...record, ...changed } }];
    writeFileSync(file, JSON.stringify({ version: 1, sessions }));
    const { exit, stderr } = await world.podio(['sessions', 'import', file]);
    assert.equal(exit, 2, `${JSON.stringify(bad)} ${stderr}`);
    assert.equal((await world.podio(['sessions', 'list'])).stdout, '');
  }
  writeFileSync(file, JSON.stringify({ version: 1, sessions: [{ name: 'work', record }] }));
  assert.equal((await world.podio(['sessions', 'import', file])).exit, 0);
});

test('a move that cannot be finished leaves the session where it was', async () => {
  await using world = await World.create();
  await world.podio(['login', '--app']);
  const before = sessionFiles(world);
  const moved = await world.podio(['sessions', 'move', '--to', 'keychain']);
  assert.equal(moved.exit, 8);
  assert.match(moved.stderr, /no keychain is available/);
  assert.deepEqual(sessionFiles(world), before);
  assert.equal((await world.podio(['call', '/item/123'])).exit, 0);
});

test('a move needs a place to go to that is another one', async () => {
  await using world = await World.create();
  await world.podio(['login', '--app']);
  for (const argv of [[], ['--to', 'file'], ['--to', 'memory'], ['--to', 'nowhere']]) {
    const { exit, stderr } = await world.podio(['sessions', 'move', ...argv]);
    assert.equal(exit, 2, argv.join(' '));
    assert.match(stderr, /^podio: /);
  }
  assert.ok(existsSync(world.home));
});

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSandbox } from '../src/sandbox/sandbox.ts';
import type { RunOptions, World } from './support/cli.ts';
import { fails, filesHolding, loggedIn, nothingSet, succeeds, treeOf } from './support/commands.ts';

const CALL = ['call', 'GET', '/item/123'];
const stored = nothingSet();

async function callTimes(world: World, times: number): Promise<void> {
  for (let count = 0; count < times; count++) succeeds(await world.podio(CALL, stored));
}

test('a hundred calls need the one token request of the login, an expired token one more', async () => {
  await using world = await loggedIn();
  await callTimes(world, 100);
  assert.equal(world.sandbox.tokenRequests(), 0);
  world.sandbox.expireAccessTokens();
  await callTimes(world, 3);
  assert.equal(world.sandbox.tokenRequests(), 1);
});

test('the same with processes, in an empty home', async () => {
  await using world = await loggedIn();
  for (let count = 0; count < 5; count++) succeeds(await world.run(CALL, stored));
  assert.equal(world.sandbox.tokenRequests(), 0);
  world.sandbox.expireAccessTokens();
  for (let count = 0; count < 3; count++) succeeds(await world.run(CALL, stored));
  assert.equal(world.sandbox.tokenRequests(), 1);
  succeeds(await world.run(['logout'], stored));
  assert.deepEqual(filesHolding(world.home, world.sandbox.secrets), []);
  fails(await world.run(CALL, stored), 3, /not logged in/, /podio login$/);
});

test('fifty processes that start together with one expired token need one refresh', async () => {
  await using world = await loggedIn({ endFamilyOnReplay: true });
  world.sandbox.expireAccessTokens();
  const all = await Promise.all(Array.from({ length: 50 }, () => world.run(CALL, stored)));
  for (const outcome of all) assert.equal(JSON.parse(succeeds(outcome)).item_id, 123);
  assert.equal(world.sandbox.tokenRequests(), 1);
  succeeds(await world.run(CALL, stored));
});

test('fifty calls of one process that meet an expired token together need one refresh', async () => {
  await using world = await loggedIn({ endFamilyOnReplay: true });
  world.sandbox.expireAccessTokens();
  const stale = { path: '/item/123', status: 401 };
  world.sandbox.hold({ grant: 'refresh_token' }, { match: stale, count: 50 });
  const all = await Promise.all(Array.from({ length: 50 }, () => world.podio(CALL, stored)));
  for (const outcome of all) succeeds(outcome);
  assert.equal(world.sandbox.tokenRequests(), 1);
});

test('files and folders of a session are for their owner alone, and no other file is there', async () => {
  await using world = await loggedIn();
  const data = join(world.home, '.local/share/podio');
  const modes = Object.entries(treeOf(data)).map(([name, entry]) => [
    name.replace(/-[0-9a-f]{24}/, ''),
    entry.split(' ')[0],
  ]);
  const host = '127.0.0.1';
  assert.deepEqual(modes, [
    ['defaults', '40700'],
    [`defaults/${host}.json`, '100600'],
    ['identities', '40700'],
    ['identities/app-123456.json', '100600'],
    ['sessions', '40700'],
    ['sessions/app-123456.json', '100600'],
  ]);
  assert.deepEqual(readdirSync(world.home), ['.local']);
});

test('only the files of the sessions hold secrets', async () => {
  await using world = await loggedIn();
  succeeds(await world.podio(['login', '--password', '--name', 'ada']));
  const holding = filesHolding(world.home, world.sandbox.secrets);
  assert.equal(holding.length, 2);
  for (const name of holding) assert.match(name, /\/podio\/sessions\/[^/]+\.json$/);
});

test('token prints the access token alone, or as a header, renewed where it is due', async () => {
  await using world = await loggedIn();
  const token = succeeds(await world.podio(['token'], stored));
  assert.match(token, /^[0-9a-f]{128}\n$/);
  assert.equal(succeeds(await world.podio(['token', '--header'], stored)), `Authorization: OAuth2 ${token}`);
  const now = () => Date.now() + 28_800_000;
  const renewed = await world.podio(['token'], { ...stored, io: { now } });
  assert.notEqual(succeeds(renewed), token);
  assert.deepEqual([renewed.stderr, world.sandbox.tokenRequests()], ['', 1]);
  assert.equal((await world.podio(['token', '--json'], stored)).exit, 2);
});

test('refresh renews the session now, and tells until when, never the token', async () => {
  await using world = await loggedIn();
  const before = succeeds(await world.podio(['token'], stored));
  const refresh = await world.podio(['refresh'], stored);
  assert.ok(Date.parse(succeeds(refresh).trim()) > Date.now());
  const json = await world.podio(['refresh', '--json'], stored);
  const { identity, expires_at, ...rest } = JSON.parse(succeeds(json));
  assert.deepEqual([identity, rest], ['app:123456', {}]);
  assert.ok(Date.parse(expires_at) > Date.now());
  assert.equal(world.sandbox.tokenRequests('refresh_token'), 2);
  assert.notEqual(succeeds(await world.podio(['token'], stored)), before);
  for (const secret of world.sandbox.secrets) {
    assert.ok(![refresh, json].some(({ stdout, stderr }) => (stdout + stderr).includes(secret)));
  }
});

test('refresh of a session that has died says how to log in, and forgets nothing', async () => {
  await using world = await loggedIn();
  const before = treeOf(world.home);
  world.sandbox.endGrants();
  fails(
    await world.podio(['refresh'], stored),
    3,
    /the session of app:123456 has ended/,
    /podio login --app 123456/,
  );
  assert.deepEqual(treeOf(world.home), before);
});

test('a session is never used at another origin', async () => {
  await using world = await loggedIn();
  await using other = await startSandbox();
  const there: RunOptions = nothingSet({ PODIO_API_URL: other.url });
  fails(await world.podio(CALL, there), 3, /not logged in at http/, /podio login/);
  fails(await world.podio([...CALL, '--api-url', other.url], stored), 3, /not logged in at http/);
  fails(
    await world.podio([...CALL, '--as', 'app:123456'], there),
    3,
    /not logged in as "app:123456" at http/,
  );
  fails(await world.podio(['call', `${world.sandbox.url}/item/123`], there), 3, /not logged in/);
  assert.deepEqual([other.seen, world.sandbox.seen], [[], []]);
});

test('sessions at two origins live side by side', async () => {
  await using world = await loggedIn();
  await using other = await startSandbox();
  const there = { PODIO_API_URL: other.url };
  succeeds(await world.podio(['login', '--app'], { env: there }));
  for (const env of [there, {}]) succeeds(await world.podio(CALL, nothingSet(env)));
  succeeds(await world.podio(['logout'], nothingSet(there)));
  fails(await world.podio(CALL, nothingSet(there)), 3, /not logged in/);
  succeeds(await world.podio(CALL, stored));
});

test('a session of another API key is another session', async () => {
  const clients = [
    { id: 'first', secret: 'one' },
    { id: 'second', secret: 'two' },
  ];
  await using world = await loggedIn({ accounts: { clients } });
  const second = { env: { PODIO_CLIENT_ID: 'second', PODIO_CLIENT_SECRET: 'two' } };
  succeeds(await world.podio(['login', '--app', '--no-default'], second));
  const as = [...CALL, '--as', 'app:123456'];
  fails(await world.podio(as, stored), 2, /several identities/, /PODIO_CLIENT_ID/);
  world.sandbox.expireAccessTokens();
  for (const id of ['first', 'second']) {
    world.sandbox.clearSeen();
    succeeds(await world.podio(as, nothingSet({ PODIO_CLIENT_ID: id })));
    const body = world.sandbox.seen.find(({ grantType }) => grantType)?.body ?? '';
    assert.equal(new URLSearchParams(body).get('client_id'), id);
  }
});

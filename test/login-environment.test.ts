import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds, treeOf } from './support/commands.ts';

const CALL = ['call', 'GET', '/item/123'];

test('where the environment names a whole login, a call logs in by itself, and the next one reuses that', async () => {
  await using world = await World.create();
  succeeds(await world.podio(CALL));
  succeeds(await world.podio(CALL));
  succeeds(await world.podio(CALL, nothingSet()));
  assert.equal(world.sandbox.tokenRequests(), 1);
  assert.match(succeeds(await world.podio(['status', '--offline'])), /^app:123456, the default/);
});

test('token logs in by itself too', async () => {
  await using world = await World.create();
  const token = succeeds(await world.podio(['token']));
  assert.equal(succeeds(await world.podio(['token'], nothingSet())), token);
  assert.equal(world.sandbox.tokenRequests(), 1);
});

test('a user logs in by itself where the environment names one and no app', async () => {
  await using world = await World.create();
  const env = { PODIO_APP_ID: undefined };
  succeeds(await world.podio(['call', '/user/status'], { env }));
  succeeds(await world.podio(['call', '/user/status'], nothingSet()));
  assert.equal(world.sandbox.tokenRequests('password'), 1);
});

test('--as chooses between the logins that the environment names', async () => {
  await using world = await World.create();
  succeeds(await world.podio([...CALL, '--as', 'password:ada@example.com']));
  assert.deepEqual([world.sandbox.tokenRequests('password'), world.sandbox.tokenRequests('app')], [1, 0]);
});

test('twenty processes that start together in a fresh container log in once', async () => {
  await using world = await World.create();
  const ended = await Promise.all(Array.from({ length: 20 }, () => world.run(CALL)));
  for (const outcome of ended) succeeds(outcome);
  assert.equal(world.sandbox.tokenRequests(), 1);
  assert.match(succeeds(await world.podio(['status'], nothingSet())), /^app:123456, the default/);
});

test('the environment heals a session that has died at Podio', async () => {
  await using world = await loggedIn();
  world.sandbox.endGrants();
  succeeds(await world.podio(CALL));
  assert.deepEqual(
    [world.sandbox.tokenRequests('refresh_token'), world.sandbox.tokenRequests('app')],
    [1, 1],
  );
  succeeds(await world.podio(CALL, nothingSet()));
});

test('the environment of another identity does not heal a dead session', async () => {
  await using world = await loggedIn();
  world.sandbox.endGrants();
  const env = { PODIO_APP_ID: '234567', PODIO_APP_TOKEN: '7b1e9c03d5f8426aa0e47d92c6b8f315' };
  fails(
    await world.podio(CALL, { env }),
    3,
    /the session of app:123456 has ended/,
    /podio login --app 123456/,
  );
});

test('a login of the environment that Podio refuses ends with 3 and stores nothing', async () => {
  await using world = await World.create();
  const wrongToken = await world.podio(CALL, { env: { PODIO_APP_TOKEN: 'wrong' } });
  fails(wrongToken, 3, /refused/, /PODIO_APP_TOKEN/);
  const wrongKey = await world.podio(CALL, { env: { PODIO_CLIENT_SECRET: 'wrong' } });
  fails(wrongKey, 3, /refused/, /PODIO_CLIENT_SECRET/);
  const env = { PODIO_APP_ID: undefined, PODIO_PASSWORD: 'wrong' };
  fails(await world.podio(CALL, { env }), 3, /refused/, /PODIO_PASSWORD/);
  fails(await world.podio(['status'], nothingSet()), 3, /not logged in/);
  const files = Object.values(treeOf(world.home)).filter((entry) => entry.startsWith('100'));
  assert.deepEqual(files, []);
});

test('an API key that has been withdrawn is said to be so when a session is renewed', async () => {
  await using world = await loggedIn();
  world.sandbox.expireAccessTokens();
  fails(await world.podio(CALL, { env: { PODIO_CLIENT_SECRET: 'wrong' } }), 3, /client secret/, /API key/);
  succeeds(await world.podio(CALL, nothingSet()));
});

test('a whole call that cannot be sent does not log in either', async () => {
  await using world = await World.create();
  for (const path of ['https://evil.example/', '//evil.example/', 'item/123', '/a b']) {
    fails(await world.podio(['call', 'GET', path]), 2, /./);
  }
  assert.deepEqual(world.sandbox.seen, []);
});

test('commands that do not call Podio for the user do not log in by themselves', async () => {
  await using world = await World.create();
  fails(await world.podio(['refresh']), 3, /no session is stored for app:123456/, /podio login/);
  const { exit, stdout } = await world.podio(['status']);
  assert.equal(exit, 3);
  assert.match(stdout, /no session is stored\n {2}hint +log in again: podio login/);
  assert.deepEqual([world.sandbox.seen, treeOf(world.home)], [[], {}]);
});

test('PODIO_ACCESS_TOKEN is used as it is: nothing is stored, read or renewed', async () => {
  await using world = await loggedIn();
  const token = succeeds(await world.podio(['token'])).trim();
  const before = treeOf(world.home);
  succeeds(await world.podio(CALL, nothingSet({ PODIO_ACCESS_TOKEN: token, PODIO_AS: 'nobody' })));
  world.sandbox.expireAccessTokens();
  const expired = await world.podio(CALL, { env: { PODIO_ACCESS_TOKEN: token } });
  fails(expired, 3, /expired_token/, /PODIO_ACCESS_TOKEN/);
  assert.equal(world.sandbox.tokenRequests(), 0);
  assert.deepEqual(treeOf(world.home), before);
});

test('PODIO_ACCESS_TOKEN needs no home and no readable store', async () => {
  await using world = await loggedIn();
  const token = succeeds(await world.podio(['token'])).trim();
  const env = { PODIO_ACCESS_TOKEN: token, HOME: undefined };
  succeeds(await world.podio(CALL, nothingSet(env)));
});

test('a PODIO_ACCESS_TOKEN that cannot be a token is refused before anything is sent', async () => {
  await using world = await World.create();
  for (const token of ['a b', 'a\r\nx-evil: 1', '"quoted" ', 'töken']) {
    const call = await world.podio(CALL, { env: { PODIO_ACCESS_TOKEN: token } });
    fails(call, 2, /PODIO_ACCESS_TOKEN/);
    assert.ok(!call.stderr.includes(token));
  }
  assert.deepEqual(world.sandbox.seen, []);
});

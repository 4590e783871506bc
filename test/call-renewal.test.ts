import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds } from './support/commands.ts';

const CALL = ['call', 'GET', '/item/123'];
const stored = nothingSet();

function seen(world: World): string[] {
  return world.sandbox.seen.map(
    ({ grantType, method, path, status }) => `${grantType ?? `${method} ${path}`} ${status}`,
  );
}

test('a token that Podio calls expired is renewed once, and the call repeated once', async () => {
  await using world = await loggedIn();
  world.sandbox.expireAccessTokens();
  assert.equal(JSON.parse(succeeds(await world.podio(CALL, stored))).item_id, 123);
  assert.deepEqual(seen(world), ['GET /item/123 401', 'refresh_token 200', 'GET /item/123 200']);
});

test('a call that writes is repeated with its whole body and its headers', async () => {
  await using world = await loggedIn();
  const body = JSON.stringify({ fields: { title: 'Grüße 🎉'.repeat(2000) } });
  for (const [method, path] of [
    ['PUT', '/item/123'],
    ['POST', '/item/app/123456/'],
  ] as const) {
    world.sandbox.expireAccessTokens();
    world.sandbox.clearSeen();
    succeeds(
      await world.podio(['call', method, path, '-d', '@-', '-H', 'x-mine: 1'], { ...stored, stdin: body }),
    );
    const calls = world.sandbox.seen.filter((request) => request.path === path);
    assert.deepEqual(
      calls.map((call) => [call.status, call.body === body, call.headers['x-mine']]),
      [
        [401, true, '1'],
        [200, true, '1'],
      ],
    );
    assert.notEqual(calls[0]?.headers.authorization, calls[1]?.headers.authorization);
  }
});

test('a second 401 ends with 3 after one refresh and one repeat', async () => {
  await using world = await loggedIn();
  const body = { error: 'unauthorized', error_description: 'expired_token' };
  world.sandbox.rule({ path: '/item/123' }, { kind: 'fail', status: 401, body });
  const call = await world.podio(CALL, stored);
  fails(call, 3, /expired_token \(HTTP 401, unauthorized, request/, /podio login/);
  assert.equal(JSON.parse(call.stdout).error_description, 'expired_token');
  assert.deepEqual(seen(world), ['GET /item/123 401', 'refresh_token 200', 'GET /item/123 401']);
});

test('a 401 that speaks of something else is not a reason to renew', async () => {
  await using world = await loggedIn();
  const body = { error: 'unauthorized', error_description: 'this is not for you' };
  world.sandbox.rule({ path: '/item/123' }, { kind: 'fail', status: 401, body });
  const call = await world.podio(CALL, stored);
  fails(call, 3, /this is not for you/);
  assert.deepEqual(JSON.parse(call.stdout), body);
  assert.deepEqual(seen(world), ['GET /item/123 401']);
});

test('a session that has died stays stored, and the error says how to log in', async () => {
  await using world = await loggedIn();
  world.sandbox.endGrants();
  for (const _ of [1, 2]) {
    const call = await world.podio(CALL, stored);
    fails(call, 3, /the session of app:123456 has ended/, /podio login --app 123456$/);
    assert.equal(call.stdout, '');
  }
  const [report] = JSON.parse(succeeds(await world.podio(['status', '--offline', '--json'], stored)));
  assert.equal(report.identity, 'app:123456');
});

test('a token that is about to end by the clock is renewed before the call', async () => {
  await using world = await loggedIn();
  const later = () => Date.now() + 28_800_000 - 30_000;
  succeeds(await world.podio(CALL, { ...stored, io: { now: later } }));
  assert.deepEqual(seen(world), ['refresh_token 200', 'GET /item/123 200']);
});

test('trouble with renewing early does not stop a call that the old token still serves', async () => {
  await using world = await loggedIn();
  world.sandbox.rule({ path: '/oauth/token' }, { kind: 'fail', status: 503 });
  const later = () => Date.now() + 28_800_000 - 30_000;
  succeeds(await world.podio(CALL, { ...stored, io: { now: later } }));
  assert.deepEqual(seen(world), ['refresh_token 503', 'GET /item/123 200']);
});

test('an answer without a refresh token keeps the old one', async () => {
  await using world = await loggedIn({ omitRefreshToken: true });
  for (const _ of [1, 2, 3]) {
    world.sandbox.expireAccessTokens();
    succeeds(await world.podio(CALL, stored));
  }
  const tokens = world.sandbox.seen
    .filter(({ grantType }) => grantType === 'refresh_token')
    .map(({ body }) => new URLSearchParams(body).get('refresh_token'));
  assert.deepEqual([tokens.length, new Set(tokens).size], [3, 1]);
});

const FAILURES = [
  [5, 'fails', { kind: 'fail', status: 500 }],
  [5, 'answers a page', { kind: 'fail', status: 200, body: '<html>' }],
  [6, 'has had enough', { kind: 'fail', status: 420, body: { error_description: 'Please wait 5 seconds' } }],
  [7, 'hangs up', { kind: 'cut' }],
] as const;

for (const [exit, what, action] of FAILURES) {
  test(`a token endpoint that ${what} ends the call with ${exit}, and the session lives on`, async () => {
    await using world = await loggedIn();
    world.sandbox.expireAccessTokens();
    world.sandbox.rule({ path: '/oauth/token', times: 1 }, action);
    fails(await world.podio(CALL, stored), exit, /./);
    const later = () => Date.now() + 6000;
    succeeds(await world.podio(CALL, { ...stored, io: { now: later } }));
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Action } from '../src/sandbox/sandbox.ts';
import { fails, loggedIn, nothingSet, succeeds } from './support/commands.ts';

const GET = ['call', 'GET', '/item/123'];
const POST = ['call', 'POST', '/item/app/123456/', '-F', 'fields[title]=x'];
const PASSING: readonly Action[] = [
  { kind: 'fail', status: 502 },
  { kind: 'fail', status: 503 },
  { kind: 'fail', status: 504 },
  { kind: 'cut' },
];

test('a read or a PUT is sent again where a moment may help, twice at most', async () => {
  await using world = await loggedIn();
  for (const action of PASSING) {
    for (const argv of [GET, ['call', 'PUT', '/item/123', '-F', 'fields[title]=x']]) {
      world.sandbox.clearRules();
      world.sandbox.clearSeen();
      world.sandbox.rule({ path: '/item/123', times: 2 }, action);
      succeeds(await world.podio(argv));
      assert.equal(world.sandbox.seen.length, 3);
    }
  }
  world.sandbox.clearSeen();
  world.sandbox.rule({ path: '/item/123' }, { kind: 'fail', status: 503 });
  fails(await world.podio(GET), 5, /HTTP 503/);
  assert.equal(world.sandbox.seen.length, 3);
});

test('what may have been half done is not sent again, unless that is asked for', async () => {
  await using world = await loggedIn();
  for (const action of PASSING) {
    for (const [argv, requests] of [
      [POST, 1],
      [['call', 'DELETE', '/item/125'], 1],
      [[...GET, '--retry', '0'], 1],
      [[...POST, '--retry-unsafe'], 3],
    ] as const) {
      world.sandbox.clearRules();
      world.sandbox.clearSeen();
      world.sandbox.rule({ path: '/item/*' }, action);
      assert.ok([5, 7].includes((await world.podio(argv)).exit));
      assert.equal(world.sandbox.seen.length, requests, `${argv} ${JSON.stringify(action)}`);
    }
  }
});

test('a time-out, a refusal and a failure of Podio’s own are not tried again', async () => {
  await using world = await loggedIn();
  const lasting: readonly Action[] = [
    { kind: 'hang' },
    { kind: 'fail', status: 500 },
    { kind: 'fail', status: 400 },
  ];
  for (const action of lasting) {
    world.sandbox.clearRules();
    world.sandbox.clearSeen();
    world.sandbox.rule({ path: '/item/123' }, action);
    await world.podio([...GET, '--timeout', '0.3']);
    assert.equal(world.sandbox.seen.length, 1);
  }
});

test('a renewal whose answer was lost is not asked for again by the same call', async () => {
  await using world = await loggedIn();
  world.sandbox.expireAccessTokens();
  world.sandbox.rule({ path: '/oauth/token' }, { kind: 'cut' });
  fails(await world.podio(GET, nothingSet()), 7, /cut/);
  assert.equal(world.sandbox.seen.filter(({ path }) => path === '/oauth/token').length, 1);
});

test('a rate limit is waited for as long as --wait allows, by header or by text, for any method', async () => {
  await using world = await loggedIn();
  const text = { error: 'rate_limit', error_description: 'Please wait 1 seconds' };
  for (const argv of [GET, POST]) {
    for (const limited of [
      { kind: 'fail', status: 420, body: text },
      { kind: 'fail', status: 429, headers: { 'retry-after': '1' } },
    ] as const) {
      world.sandbox.clearRules();
      world.sandbox.rule({ path: '/item/*', times: 1 }, limited);
      const since = performance.now();
      succeeds(await world.podio([...argv, '--wait', '5']));
      assert.ok(performance.now() - since >= 990);
    }
  }
});

test('a longer wait than allowed ends with 6 and names the seconds, at once', async () => {
  await using world = await loggedIn();
  const body = { error: 'rate_limit', error_description: 'Please wait 3600 seconds before trying again.' };
  world.sandbox.rule({ path: '/item/123' }, { kind: 'fail', status: 420, body });
  for (const wait of [[], ['--wait', '3599']]) {
    const call = await world.podio([...GET, ...wait]);
    fails(call, 6, /wait 3600 seconds/, /try again in 3600 s/);
    assert.deepEqual(JSON.parse(call.stdout), body);
  }
  assert.equal(world.sandbox.seen.length, 2);
});

test('a service that says when it will be back is asked again then, if that is soon enough', async () => {
  await using world = await loggedIn();
  const away = (after: string) => {
    world.sandbox.clearRules();
    world.sandbox.clearSeen();
    const headers = { 'retry-after': after };
    world.sandbox.rule({ path: '/item/123', times: 1 }, { kind: 'fail', status: 503, headers });
  };
  for (const [after, asked] of [
    ['2', /trying again in 2\.0 s/],
    [new Date(Date.now() + 4000).toUTCString(), /trying again in [1-4]\.\d s/],
    ['tomorrow', /trying again in 0\.\d s/],
  ] as const) {
    away(after);
    const since = performance.now();
    assert.match((await world.podio([...GET, '-v'])).stderr, asked);
    assert.ok(after !== '2' || performance.now() - since >= 1990);
  }
  away('11');
  fails(await world.podio(GET), 5, /HTTP 503/, /try again in 11 s/);
  assert.equal(world.sandbox.seen.length, 1);
});

test('-v tells each repetition in a line', async () => {
  await using world = await loggedIn();
  world.sandbox.rule({ path: '/item/123', times: 2 }, { kind: 'fail', status: 503 });
  const { stderr } = await world.podio([...GET, '-v']);
  assert.equal(stderr.match(/^HTTP 503; trying again in 0\.\d s$/gm)?.length, 2);
});

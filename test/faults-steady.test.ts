import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { World } from './support/cli.ts';
import { loggedIn, nothingSet, succeeds } from './support/commands.ts';
import { dataOf, sessionFile } from './support/data-folder.ts';
import { checkStrace, traced } from './support/strace.ts';

before(checkStrace);

test('row 12: a valid token costs no lock, no write, and one read of the session', async () => {
  await using world = await loggedIn();
  const { operations, ...done } = await traced(world, ['call', '/item/123'], nothingSet());
  succeeds(done);
  const ours = operations.filter(({ line }) => line.includes(dataOf(world)));
  const opened = ours.filter(({ syscall }) => syscall === 'openat');
  assert.equal(opened.filter(({ line }) => line.includes(`"${sessionFile(world)}"`)).length, 1);
  const harmless = ours.filter(({ syscall, line }) => syscall === 'statx' || /^openat.*O_RDONLY/.test(line));
  assert.deepEqual(ours.length - harmless.length, 0, ours.map(({ line }) => line).join('\n'));
});

const HOUR = 3_600_000;

for (const off of [HOUR, -HOUR, 24 * HOUR, -24 * HOUR]) {
  test(`row 13: a clock that is ${off / HOUR} h off costs one refresh and one repeat at most`, async () => {
    await using world = await loggedIn();
    const io = { now: () => Date.now() + off };
    for (const isExpired of [false, true]) {
      if (isExpired) world.sandbox.expireAccessTokens();
      world.sandbox.clearSeen();
      succeeds(await world.podio(['call', '/item/123'], { ...nothingSet(), io }));
      assert.ok(world.sandbox.tokenRequests() <= 1);
      assert.ok(world.sandbox.seen.filter(({ path }) => path === '/item/123').length <= 2);
    }
  });
}

test('row 13: tokens that end on the way are renewed once and the call is repeated once, and no more', async () => {
  await using world = await loggedIn();
  world.sandbox.rule({ path: '/item/123' }, { kind: 'fail', status: 401, body: EXPIRED });
  world.sandbox.clearSeen();
  const { exit } = await world.podio(['call', '/item/123'], nothingSet());
  assert.equal(exit, 3);
  assert.equal(world.sandbox.tokenRequests(), 1);
  assert.equal(world.sandbox.seen.filter(({ path }) => path === '/item/123').length, 2);
});

const EXPIRED = { error: 'unauthorized', error_description: 'expired_token' };

test('row 11: a 420 of the token endpoint keeps every process from asking again, which says how long', async () => {
  await using world = await World.create({ tokenLimit: 1, waitSeconds: 300 });
  succeeds(await world.podio(['login', '--app']));
  world.sandbox.expireAccessTokens();
  const calls = await Promise.all(
    Array.from({ length: 8 }, () => world.run(['call', '/item/123'], nothingSet())),
  );
  assert.deepEqual([...new Set(calls.map(({ exit }) => exit))], [6]);
  assert.equal(world.sandbox.tokenRequests('refresh_token'), 1);
  for (const { stderr } of calls) assert.match(stderr, /hint: try again in (300|29\d) s/);
});

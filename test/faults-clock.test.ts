import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import type { World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds } from './support/commands.ts';
import { dataOf, sessionFile } from './support/data-folder.ts';
import { checkStrace, pathsIn, traced } from './support/strace.ts';

const ITEM = '/item/123';
const HOUR = 3_600_000;

/** How far off the clock is. */
const CLOCKS: Readonly<Record<string, number>> = {
  'a day behind': -24 * HOUR,
  'an hour behind': -HOUR,
  right: 0,
  'an hour ahead': HOUR,
  'a day ahead': 24 * HOUR,
};

before(checkStrace);

test('row 12: a call with a valid token takes no lock, writes nothing and reads the session once', async () => {
  await using world = await loggedIn();
  const all = await traced(world, ['call', ITEM], nothingSet());
  const paths = [dataOf(world), ...pathsIn(dataOf(world), all.operations)];
  const { operations, exit } = await traced(world, ['call', ITEM], { ...nothingSet(), paths });
  assert.equal(exit, 0);
  const kinds = new Set(operations.map(({ syscall }) => syscall));
  assert.deepEqual([...kinds].sort(), ['close', 'openat', 'read', 'statx']);
  const lines = operations.map(({ line }) => line);
  assert.deepEqual(
    lines.filter((line) => /O_(WRONLY|RDWR|CREAT|TRUNC)|\.lock|\.new/.test(line)),
    [],
  );
  const ofSession = operations.filter(({ line }) => line.includes(sessionFile(world)));
  assert.deepEqual(
    ofSession.map(({ syscall }) => syscall),
    ['openat', 'statx', 'read', 'close'],
  );
  assert.equal(world.sandbox.tokenRequests(), 0);
});

suite('row 13: clocks that are off', () => {
  for (const [then, at] of Object.entries(CLOCKS))
    for (const [now, offset] of Object.entries(CLOCKS))
      test(`a session got by a clock ${then}, used by one ${now}, costs a call one renewal and one repeat at most`, async () => {
        for (const hasEnded of [false, true]) {
          await using world = await loggedInBy(at);
          if (hasEnded) world.sandbox.expireAccessTokens();
          succeeds(await callBy(world, offset));
          assert.ok(world.sandbox.tokenRequests() <= 1);
          assert.ok(callsOf(world) <= 2);
          // Where that is set right, nothing more is to be done.
          world.sandbox.clearSeen();
          succeeds(await callBy(world, offset));
          assert.deepEqual([world.sandbox.tokenRequests(), callsOf(world)], [0, 1]);
        }
      });

  test('two machines whose clocks differ by a day renew for each other, and neither is refused', async () => {
    await using world = await loggedInBy(0);
    for (const offset of [24 * HOUR, 0, 24 * HOUR, -24 * HOUR, 0]) {
      world.sandbox.expireAccessTokens();
      world.sandbox.clearSeen();
      succeeds(await callBy(world, offset));
      assert.ok(world.sandbox.tokenRequests() === 1 && callsOf(world) <= 2);
    }
  });
});

suite('row 13: tokens that expire on the way', () => {
  test('are renewed once, and the call is repeated once', async () => {
    await using world = await loggedIn();
    const hold = world.sandbox.hold({ path: ITEM });
    const call = world.podio(['call', ITEM], nothingSet());
    await hold.arrived();
    world.sandbox.expireAccessTokens();
    hold.release();
    succeeds(await call);
    assert.deepEqual([world.sandbox.tokenRequests(), callsOf(world)], [1, 2]);
  });

  test('are not renewed a second time: the call ends with 3', async () => {
    await using world = await loggedIn({ expiresIn: 0.001 });
    const done = await world.podio(['call', ITEM], { ...nothingSet(), io: { now: () => Date.now() - HOUR } });
    fails(done, 3, /token/);
    assert.deepEqual([world.sandbox.tokenRequests(), callsOf(world)], [1, 2]);
  });

  test('though they were renewed a moment ago are not renewed again', async () => {
    await using world = await loggedIn({ expiresIn: 0.001 });
    fails(await world.podio(['call', ITEM], nothingSet()), 3, /token/);
    assert.deepEqual([world.sandbox.tokenRequests(), callsOf(world)], [1, 1]);
  });
});

async function loggedInBy(offset: number): Promise<World> {
  const world = await loggedIn();
  succeeds(await world.podio(['login', '--app'], { io: { now: () => Date.now() + offset } }));
  world.sandbox.clearSeen();
  return world;
}

function callBy(world: World, offset: number) {
  return world.podio(['call', ITEM], { ...nothingSet(), io: { now: () => Date.now() + offset } });
}

function callsOf(world: World): number {
  return world.sandbox.seen.filter(({ path }) => path === ITEM).length;
}

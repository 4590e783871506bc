import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { calls, fileOf, printedBy } from './support/batches.ts';
import { outcome } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds } from './support/commands.ts';

const stored = nothingSet();
const BATCH = ['batch', 'calls', '--shared', '--concurrency', '3'];

test('with --shared, four processes have as many calls under way as one may have, and all are answered', async () => {
  await using world = await loggedIn();
  fileOf(world, calls(25));
  const hold = world.sandbox.hold({ path: '/item/*' });
  const running = Array.from({ length: 4 }, () => world.start(BATCH, stored));
  const ended = Promise.all(running.map((child) => outcome(child)));
  await hold.arrived(3);
  // Each of them has come so far by the time that another process has started and ended.
  succeeds(await world.run(['limits', '--fresh'], stored));
  assert.equal(hold.waiting, 3);
  hold.release();
  for (const one of await ended) {
    assert.equal(one.exit, 0, one.stderr);
    assert.equal(printedBy(one).length, 25);
  }
});

test('the places of a killed process are free for the others', async () => {
  await using world = await loggedIn();
  fileOf(world, calls(5));
  const hold = world.sandbox.hold({ path: '/item/*' });
  const killed = world.start(BATCH, stored);
  await hold.arrived(3);
  const next = outcome(world.start(BATCH, stored));
  killed.kill('SIGKILL');
  await once(killed, 'close');
  await hold.arrived(6);
  hold.release();
  const ended = await next;
  succeeds(ended);
  assert.equal(printedBy(ended).length, 5);
});

test('--shared is refused where there is nobody to share with', async () => {
  await using world = await loggedIn();
  const ended = await world.podio(['batch', '-', '--shared'], {
    ...nothingSet({ PODIO_ACCESS_TOKEN: 'some-token' }),
    stdin: 'GET /item/123\n',
  });
  fails(ended, 2, /--shared/);
  assert.deepEqual(world.sandbox.seen, []);
});

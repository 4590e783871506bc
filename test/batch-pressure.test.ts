import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calls, fileOf, printedBy } from './support/batches.ts';
import { outcome, type World } from './support/cli.ts';
import { loggedIn, nothingSet } from './support/commands.ts';

const stored = nothingSet();

/** How many calls have come once no more come: while others come and go, a hundred of them. */
async function stalledAt({ sandbox }: World): Promise<number> {
  for (let before = -1; ; ) {
    const now = sandbox.seen.length;
    if (now > 0 && now === before) return now;
    before = now;
    for (let rest = 0; rest < 100; rest++) await fetch(`${sandbox.url}/sandbox/rules`);
  }
}

test('what waits for a slow answer before it is bounded', async () => {
  await using world = await loggedIn({ callLimit: 10_000 });
  const hold = world.sandbox.hold({ path: '/item/222' });
  fileOf(world, ['GET /item/222', ...calls(1000)]);
  const running = outcome(world.start(['batch', 'calls', '--concurrency', '4'], stored));
  await hold.arrived();
  assert.ok((await stalledAt(world)) <= 40);
  hold.release();
  assert.equal(printedBy(await running).length, 1001);
});

test('nothing is fetched for a reader that does not read', async () => {
  await using world = await loggedIn({ callLimit: 10_000 });
  fileOf(world, calls(3000));
  const child = world.start(['batch', 'calls', '--concurrency', '4'], stored);
  const sent = await stalledAt(world);
  assert.ok(sent < 1500, `${sent} calls`);
  const ended = await outcome(child);
  assert.deepEqual([printedBy(ended).length, ended.exit], [3000, 0]);
});

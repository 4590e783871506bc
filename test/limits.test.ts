import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PodioClient } from '../src/client/podio-client.ts';
import { answering } from './support/answering.ts';
import type { World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds } from './support/commands.ts';
import { dataOf } from './support/data-folder.ts';

const stored = nothingSet();

async function limits(world: World, ...options: string[]) {
  return JSON.parse(succeeds(await world.podio(['limits', '--json', ...options], stored)));
}

function calls(world: World): number {
  return world.sandbox.seen.length;
}

function ledgerOf(world: World): string {
  const folder = join(dataOf(world), 'rate-limits');
  const [name = '', ...more] = readdirSync(folder);
  assert.deepEqual(more, []);
  return join(folder, name);
}

test('where nothing is known it asks once, and from then on tells what it was told, and how old that is', async () => {
  await using world = await loggedIn({ callLimit: 1000 });
  const { seen_at, ...first } = await limits(world);
  assert.deepEqual(first, { identity: 'app:123456', limit: 1000, remaining: 999, age_seconds: 0 });
  assert.ok(Math.abs(Date.parse(seen_at) - Date.now()) < 60_000);
  assert.equal(calls(world), 1);
  const later = { ...stored, io: { now: () => Date.now() + 120_000 } };
  const second = JSON.parse(succeeds(await world.podio(['limits', '--json'], later)));
  assert.equal(second.remaining, 999);
  assert.ok(second.age_seconds >= 120 && second.age_seconds < 180);
  assert.equal(calls(world), 1);
  assert.match(
    succeeds(await world.podio(['limits'], later)),
    /remaining {2}999\n {2}seen .*\(2 minutes ago\)/,
  );
});

test('a figure that is older than the hour it is about is asked for anew, and --fresh asks at any time', async () => {
  await using world = await loggedIn();
  await limits(world);
  assert.equal((await limits(world, '--fresh')).remaining, 998);
  const tomorrow = { ...stored, io: { now: () => Date.now() + 3_600_001 } };
  assert.equal(JSON.parse(succeeds(await world.podio(['limits', '--json'], tomorrow))).remaining, 997);
});

test('calls of other processes leave what they saw: one of each hundredth part, and all of the last tenth', async () => {
  await using world = await loggedIn({ callLimit: 200 });
  for (let count = 1; count <= 4; count++)
    succeeds(await world.run(['call', '/item/123', '--silent'], stored));
  assert.equal((await limits(world)).remaining, 196);
  await using low = await loggedIn({ callLimit: 10 });
  succeeds(await low.run(['call', '/item/123', '--silent'], stored));
  assert.equal((await limits(low)).remaining, 9);
  assert.equal(calls(low), 1);
});

test('a budget that is used up is told, and not an error', async () => {
  await using world = await loggedIn({ callLimit: 1 });
  await limits(world);
  assert.equal((await limits(world, '--fresh')).remaining, 0);
});

test('each identity has a figure of its own, and it holds no secret', async () => {
  await using world = await loggedIn();
  await limits(world);
  const password = ['login', '--password', '--no-default'];
  succeeds(await world.podio(password));
  await limits(world, '--as', 'password:ada@example.com');
  const folder = join(dataOf(world), 'rate-limits');
  assert.equal(readdirSync(folder).length, 2);
  for (const name of readdirSync(folder)) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
});

test('PODIO_ACCESS_TOKEN is asked about as it is, and nothing is stored', async () => {
  await using world = await loggedIn();
  const PODIO_ACCESS_TOKEN = succeeds(await world.podio(['token'], stored)).trim();
  const { stdout } = await world.podio(['limits', '--json'], nothingSet({ PODIO_ACCESS_TOKEN }));
  assert.deepEqual([JSON.parse(stdout).identity, JSON.parse(stdout).remaining], ['PODIO_ACCESS_TOKEN', 999]);
  assert.throws(() => ledgerOf(world), /ENOENT/);
});

test('a file of figures that is damaged, or a link, stops neither a call nor a question', async () => {
  await using world = await loggedIn({ callLimit: 10 });
  await limits(world);
  const file = ledgerOf(world);
  for (const text of ['', '{"limit":1', '{"limit":"x","remaining":1,"seen_at":1}', '\0'.repeat(200)]) {
    writeFileSync(file, text);
    succeeds(await world.podio(['call', '/item/123'], stored));
    assert.equal((await limits(world)).limit, 10);
  }
});

test('a link in place of the file is not written through', async () => {
  await using world = await loggedIn({ callLimit: 10 });
  await limits(world);
  const file = ledgerOf(world);
  const other = join(world.home, 'other');
  writeFileSync(other, 'mine');
  rmSync(file);
  symlinkSync(other, file);
  succeeds(await world.podio(['call', '/item/123'], stored));
  assert.equal(readFileSync(other, 'utf8'), 'mine');
});

test('nobody logged in ends with 3, a session that Podio refuses too', async () => {
  await using world = await loggedIn();
  world.sandbox.endGrants();
  fails(await world.podio(['limits'], stored), 3, /session of app:123456 has ended/);
  succeeds(await world.podio(['logout'], stored));
  fails(await world.podio(['limits'], stored), 3, /not logged in/);
});

test('an API that names no budget is said to name none', async () => {
  await using server = await answering((_, response) => response.end('{}'));
  await using world = await loggedIn();
  const env = { PODIO_API_URL: server.url, PODIO_ACCESS_TOKEN: 'some-token' };
  fails(await world.podio(['limits'], nothingSet(env)), 5, /does not say how many calls are left/);
});

test('the library tells what the last answer said, and undefined before the first', async () => {
  await using world = await loggedIn({ callLimit: 100 });
  const [client] = world.sandbox.accounts.clients;
  const [app] = world.sandbox.accounts.apps;
  const podio = new PodioClient({
    apiUrl: world.sandbox.url,
    clientId: client?.id ?? '',
    clientSecret: client?.secret,
    now: () => 1000,
  });
  await podio.authenticateWithApp(app?.id ?? '', app?.token ?? '');
  assert.equal(podio.rateLimit, undefined);
  await podio.request('GET', '/item/123');
  assert.deepEqual(podio.rateLimit, { limit: 100, remaining: 99, seenAt: 1000 });
});

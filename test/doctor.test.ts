import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Finding } from '../src/cli/checks.ts';
import { World } from './support/cli.ts';

async function findings(world: World, ...argv: string[]): Promise<Finding[]> {
  const { stdout, stderr } = await world.podio(['doctor', '--json', ...argv]);
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

function levels(found: readonly Finding[], id: string): string[] {
  return found.filter((finding) => finding.id === id).map(({ level }) => level);
}

test('doctor finds nothing wrong where nothing is, and says so of each thing', async () => {
  await using world = await World.create();
  await world.podio(['login', '--app']);
  const { exit, stdout } = await world.podio(['doctor']);
  assert.equal(exit, 0);
  for (const id of ['node', 'environment', 'settings', 'store', 'locks', 'identity', 'network', 'clock']) {
    assert.match(stdout, new RegExp(`^✓ ${id}`, 'm'));
  }
});

test('doctor names files that others can read, and closes them with --fix', async () => {
  await using world = await World.create();
  await world.podio(['login', '--app']);
  const folder = join(world.home, '.local/share/podio/sessions');
  const file = join(folder, readdirSync(folder)[0] ?? '');
  const open = () => [chmodSync(file, 0o644), chmodSync(folder, 0o755)];
  open();
  const found = await findings(world);
  assert.deepEqual(levels(found, 'store'), ['error', 'error']);
  assert.equal(found.find(({ id }) => id === 'store')?.fix, 'podio doctor --fix');
  open();
  assert.deepEqual(levels(await findings(world, '--fix'), 'store'), ['ok', 'ok']);
  assert.deepEqual([statSync(file).mode & 0o777, statSync(folder).mode & 0o777], [0o600, 0o700]);
});

test('doctor names links and damaged copies, with what to type, and touches neither', async () => {
  await using world = await World.create();
  const folder = join(world.home, '.local/share/podio/sessions');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  symlinkSync('/etc/hostname', join(folder, 'link.json'));
  writeFileSync(join(folder, 'a.json.corrupt-2026'), '', { mode: 0o600 });
  const found = (await findings(world, '--offline', '--fix')).filter(({ id }) => id === 'store');
  assert.deepEqual(found.map(({ level, exit }) => [level, exit]).toSorted(), [
    ['error', 8],
    ['warning', 0],
  ]);
  assert.ok(found.every(({ fix }) => fix?.includes('rm ')));
  assert.equal(readdirSync(folder).length, 2);
});

test('doctor works with broken settings, without a HOME, and without an API', async () => {
  await using world = await World.create();
  const config = join(world.home, '.config/podio');
  mkdirSync(config, { recursive: true });
  writeFileSync(join(config, 'config.json'), '{"tpyo":1');
  const broken = await world.podio(['doctor', '--offline']);
  assert.match(broken.stdout, /^! settings .*is not a JSON object\n.*rm /m);
  const homeless = await world.podio(['doctor', '--offline'], { env: { HOME: undefined } });
  assert.equal(homeless.exit, 8);
  assert.match(homeless.stdout, /^✗ store .*HOME is not set/m);
  const unreachable = await world.podio(['doctor'], { env: { PODIO_API_URL: 'http://127.0.0.1:1' } });
  assert.equal(unreachable.exit, 7);
});

test('doctor tells of a clock that is wrong', async () => {
  await using world = await World.create();
  const { stdout } = await world.podio(['doctor', '--json'], { io: { now: () => Date.now() + 3_600_000 } });
  const clock = JSON.parse(stdout).find(({ id }: Finding) => id === 'clock');
  assert.match(clock.message, /3600 s ahead|3599 s ahead|3601 s ahead/);
});

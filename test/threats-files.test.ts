import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BIN, outcome, World } from './support/cli.ts';
import { loggedIn, succeeds, treeOf } from './support/commands.ts';

const DATA = '.local/share/podio';

// Root reads and writes what it likes, unless it gives that right away; whoever is not root has none.
const RIGHTS = '-dac_override,-dac_read_search';
const LIKE_ANYBODY =
  process.getuid?.() === 0 ? ['setpriv', `--bounding-set=${RIGHTS}`, `--inh-caps=${RIGHTS}`] : ['env'];

/** Runs a script as somebody for whom modes matter. */
function likeAnybody(world: World, script: string) {
  const podio = `podio() { "${process.execPath}" "${BIN}" "$@"; }`;
  const [file = '', ...args] = [...LIKE_ANYBODY, 'sh', '-ec', `${podio}\n${script}`];
  return outcome(spawn(file, args, { env: world.env(), cwd: world.home }));
}

/** What below the data folder has another mode than it should have. */
function looseIn(world: World): string[] {
  return Object.entries(treeOf(join(world.home, DATA)))
    .filter(([, described]) => !/^(40700$|100600 )/.test(described))
    .map(([name, described]) => `${described.slice(0, 7)} ${name}`);
}

for (const umask of ['000', '022', '077', '777']) {
  test(`threat 5: folders are 0700 and files 0600 under a umask of ${umask}`, async () => {
    await using world = await World.create();
    const script = `umask ${umask}
      podio login --app --remember; podio login --password --name ada; podio refresh; podio switch app:123456
      podio call /item/123 > /dev/null
      echo damaged > ${DATA}/sessions/$(cd ${DATA}/sessions; echo app-*.json)
      ! podio call /item/123; podio login --app`;
    succeeds(await likeAnybody(world, script));
    assert.deepEqual(looseIn(world), []);
    const made = Object.keys(treeOf(join(world.home, DATA)));
    assert.ok(made.length >= 9 && made.some((name) => name.includes('.corrupt-')), made.join());
  });
}

test('threat 5: modes that let others in are mended, whatever was there before', async () => {
  await using world = await loggedIn();
  const folder = join(world.home, DATA);
  const files = () => Object.keys(treeOf(folder)).map((name) => join(folder, name));
  const [session = ''] = files().filter((name) => name.includes('/sessions/'));
  for (const beside of ['.lock', '.new']) writeFileSync(session + beside, '');
  for (const file of files()) chmodSync(file, lstatSync(file).isDirectory() ? 0o777 : 0o666);
  assert.notDeepEqual(looseIn(world), []);
  world.sandbox.expireAccessTokens();
  for (const words of [
    ['login', '--app', '--name', 'new'],
    ['call', '/item/123'],
  ])
    succeeds(await world.podio(words));
  assert.deepEqual(looseIn(world), []);
});

test('threat 6: every byte goes to a file that was 0600 when it was made: nothing is closed afterwards', async () => {
  await using world = await World.create();
  const log = join(world.home, 'trace');
  const calls = 'trace=openat,chmod,fchmodat,write,pwrite64,writev,pwritev,mkdir,mkdirat';
  const words = ['strace', '-f', '-y', '-e', calls, '-o', log, process.execPath, BIN, 'login', '--app'];
  const traced = spawn('sh', ['-c', 'umask 000; exec "$@"', 'sh', ...words], { env: world.env() });
  succeeds(await outcome(traced));
  const ours = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.includes(DATA));
  const made = new Set(ours.flatMap((line) => /openat\(.*"([^"]+)".* 0600\) = \d+/.exec(line)?.[1] ?? []));
  const written = ours.flatMap((line) => /write(?:v|64)?\(\d+<([^>]+)>/.exec(line)?.[1] ?? []);
  assert.deepEqual(
    [...new Set(written)].filter((file) => !made.has(file)),
    [],
  );
  assert.ok(written.length > 5);
  const folders = ours.flatMap((line) => /mkdir(?:at)?\(.*"[^"]+", (\d+)\)/.exec(line)?.[1] ?? []);
  assert.ok(folders.length > 3 && folders.every((mode) => mode === '0700'), folders.join());
  const changed = ours.flatMap((line) => /\bchmod(?:at)?\(.*"([^"]+)"/.exec(line)?.[1] ?? []);
  assert.ok(
    changed.every((place) => lstatSync(place).isDirectory()),
    changed.join(),
  );
});

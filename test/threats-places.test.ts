import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds, treeOf } from './support/commands.ts';
import { promptly } from './support/promptly.ts';

const IS_ROOT = process.getuid?.() === 0;
const NOBODY = 65534;
const DATA = '.local/share/podio';
const ITEM = '/item/123';

/** What an attacker may have put in the place of a file; `victim` is a file of the user's. */
const TRAPS: Readonly<Record<string, (place: string, victim: string) => unknown>> = {
  'a symbolic link': (place, victim) => symlinkSync(victim, place),
  'a link that leads nowhere': (place, victim) => symlinkSync(`${victim}-new`, place),
  'a hard link': (place, victim) => linkSync(victim, place),
  'a pipe': (place) => execFileSync('mkfifo', [place]),
  'a folder': (place) => mkdirSync(place),
  ...(IS_ROOT && {
    'a device': (place) => execFileSync('mknod', [place, 'c', '1', '5']),
    "another user's file": (place) => {
      writeFileSync(place, '{}');
      chownSync(place, NOBODY, NOBODY);
    },
  }),
};

for (const [what, put] of Object.entries(TRAPS)) {
  test(`threat 7: ${what} in the place of a file is refused at once, and what it leads to stays as it is`, async () => {
    await using world = await loggedIn();
    const [session = ''] = readdirSync(join(world.home, DATA, 'sessions'));
    const [entry = ''] = readdirSync(join(world.home, DATA, 'identities'));
    world.sandbox.expireAccessTokens();
    const victims = join(world.home, 'victims');
    for (const name of [`sessions/${session}`, `sessions/${session}.new`, `identities/${entry}`]) {
      const place = join(world.home, DATA, name);
      rmSync(victims, { recursive: true, force: true });
      mkdirSync(victims);
      writeFileSync(join(victims, 'victim'), 'the user’s own', { mode: 0o644 });
      const before = treeOf(victims);
      if (existsSync(place)) renameSync(place, `${place}-away`);
      put(place, join(victims, 'victim'));
      fails(
        await promptly(world, ['refresh'], nothingSet()),
        8,
        /is not a regular file|symbolic link|hard link|belongs to/,
      );
      assert.deepEqual(treeOf(victims), before);
      rmSync(place, { recursive: true });
      if (existsSync(`${place}-away`)) renameSync(`${place}-away`, place);
    }
    assert.equal(world.sandbox.tokenRequests(), 0);
    succeeds(await promptly(world, ['refresh'], nothingSet()));
  });
}

for (const [what, put] of Object.entries(TRAPS)) {
  test(`threat 7: ${what} in the place of a note or a journal is not written to, nor waited for`, async () => {
    await using world = await loggedIn({ callLimit: 10 });
    const victims = join(world.home, 'victims');
    mkdirSync(victims);
    writeFileSync(join(victims, 'victim'), 'the user’s own', { mode: 0o644 });
    succeeds(await promptly(world, ['call', ITEM], nothingSet()));
    const notes = join(world.home, DATA, 'rate-limits');
    const [note = ''] = readdirSync(notes);
    rmSync(join(notes, note));
    const before = treeOf(victims);
    put(join(notes, note), join(victims, 'victim'));
    succeeds(await promptly(world, ['call', ITEM], nothingSet()));
    const journal = join(world.home, 'journal');
    put(journal, join(victims, 'victim'));
    const resumed = { ...nothingSet(), stdin: '{"path":"/item/123"}\n' };
    assert.notEqual((await promptly(world, ['batch', '-', '--resume', journal], resumed)).exit, 137);
    assert.deepEqual(treeOf(victims), before);
  });
}

test('threat 7: a hard link in the place of a lock changes nothing of the file it leads to', async () => {
  await using world = await loggedIn();
  const [session = ''] = readdirSync(join(world.home, DATA, 'sessions'));
  const victims = join(world.home, 'victims');
  mkdirSync(victims);
  writeFileSync(join(victims, 'victim'), '#!/bin/sh\n', { mode: 0o755 });
  const before = treeOf(victims);
  linkSync(join(victims, 'victim'), join(world.home, DATA, 'sessions', `${session}.lock`));
  await promptly(world, ['refresh'], nothingSet());
  assert.deepEqual(treeOf(victims), before);
});

test('threat 7: a link, a file, a pipe, a socket in the place of the folder is refused', async () => {
  await using world = await loggedIn();
  const folder = join(world.home, DATA, 'sessions');
  const elsewhere = join(world.home, 'elsewhere');
  mkdirSync(elsewhere, { mode: 0o755 });
  renameSync(folder, `${folder}-away`);
  const socket = createServer();
  const puts = [
    () => symlinkSync(elsewhere, folder),
    () => symlinkSync(join(world.home, 'nowhere'), folder),
    () => writeFileSync(folder, ''),
    () => execFileSync('mkfifo', [folder]),
    () => new Promise<void>((listening) => socket.listen(folder, listening)),
  ];
  for (const put of puts) {
    await put();
    fails(await promptly(world, ['login', '--app']), 8, /is not a folder/);
    rmSync(folder, { force: true });
  }
  socket.close();
  assert.deepEqual([treeOf(elsewhere), existsSync(join(world.home, 'nowhere'))], [{}, false]);
  assert.equal(world.sandbox.tokenRequests(), 0);
});

test('threat 7: no variable leads to a place that is relative, or that others can change', async () => {
  await using world = await World.create();
  const open = join(world.home, 'open');
  mkdirSync(open);
  chmodSync(open, 0o777);
  mkdirSync(join(open, 'mine'), { mode: 0o700 });
  const before = treeOf(world.home);
  const hostile = [
    ...['data', './data', '../data', '~/data'].flatMap((folder) => [
      { XDG_DATA_HOME: folder },
      { PODIO_DATA_DIR: folder },
      { HOME: folder },
    ]),
    ...[open, join(open, 'mine')].flatMap((folder) => [
      { XDG_DATA_HOME: folder },
      { PODIO_DATA_DIR: `${folder}/x` },
    ]),
    { HOME: '/' },
    { HOME: '' },
  ];
  for (const env of hostile) {
    const how = JSON.stringify(env);
    fails(
      await world.run(['login', '--app'], { env }),
      8,
      /absolute path|written by everybody|HOME/,
      undefined,
    );
    assert.deepEqual(treeOf(world.home), before, how);
  }
  assert.deepEqual(world.sandbox.seen, []);
});

test('threat 23: under sudo, nothing is written into the home of another user', async () => {
  await using world = await World.create();
  const home = join(world.home, 'theirs');
  mkdirSync(home, { mode: 0o700 });
  // Whoever is not root has no home of others to write to: a folder of root's does for that.
  if (IS_ROOT) chownSync(home, NOBODY, NOBODY);
  const env = { HOME: IS_ROOT ? home : '/root' };
  fails(await world.run(['login', '--app'], { env }), 8, /another user|permission denied/, /sudo -H|ls -ld/);
  assert.deepEqual([readdirSync(home), world.sandbox.seen], [[], []]);
  if (!IS_ROOT) return;
  // What the caller has set must not choose what root runs.
  mkdirSync(join(home, '.config/podio'), { recursive: true });
  writeFileSync(join(home, '.config/podio/config.json'), '{"session_manager":"/tmp/any.mjs"}');
  execFileSync('chown', ['-R', `${NOBODY}`, home]);
  for (const words of [['login', '--app'], ['call', ITEM], ['status']])
    fails(await world.run(words, { env }), 8, /settings are not read: .* belongs to another user/, /sudo -H/);
  rmSync(join(home, '.config'), { recursive: true });
  mkdirSync(join(home, DATA, 'sessions'), { recursive: true });
  execFileSync('chown', ['-R', `${NOBODY}`, home]);
  fails(await world.run(['login', '--app'], { env }), 8, /another user/, /sudo -H/);
  assert.deepEqual([readdirSync(join(home, DATA, 'sessions')), world.sandbox.seen], [[], []]);
});

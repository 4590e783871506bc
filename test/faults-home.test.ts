import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, suite, type TestContext, test } from 'node:test';
import { outcome, World } from './support/cli.ts';
import { fails, succeeds, treeOf } from './support/commands.ts';
import { SmallDisk } from './support/tmpfs.ts';

const IS_ROOT = process.geteuid?.() === 0;
/** Somebody whom the tests are not. */
const OTHER = IS_ROOT ? 65534 : 0;

const COMMANDS = [['login', '--app'], ['call', '/item/123'], ['token'], ['refresh', '--as', 'app:123456']];

// Before anybody else's rights are taken on, everything has to be loaded that those could not read.
before(async () => {
  await using world = await World.create();
  for (const command of COMMANDS) succeeds(await world.podio(command));
});

suite('row 9: a HOME in which nothing can be kept is named before anything is sent', () => {
  const places = {
    'HOME that is not set': [{ HOME: undefined }, /HOME is not set/, /set HOME.*PODIO_DATA_DIR/],
    'HOME that is empty': [{ HOME: '' }, /HOME is not set/, /set HOME.*PODIO_DATA_DIR/],
    'HOME that is "/"': [{ HOME: '/' }, /HOME is "\/"/, /set HOME.*PODIO_DATA_DIR/],
    'HOME that is relative': [{ HOME: 'home/ada' }, /HOME is not an absolute path/, /set HOME/],
    'XDG_DATA_HOME that is relative': [{ XDG_DATA_HOME: '.share' }, /XDG_DATA_HOME is not an abs/, /begins with "\/"/],
    'PODIO_DATA_DIR that is relative': [{ PODIO_DATA_DIR: '../data' }, /PODIO_DATA_DIR is not an abs/, /begins with/],
  } as const;
  for (const [name, [env, why, hint]] of Object.entries(places))
    test(`a ${name}`, async () => refuses(await World.create(), env, why, hint));

  test('a HOME that is a file', async () => {
    const world = await World.create();
    const HOME = join(world.home, 'file');
    writeFileSync(HOME, '');
    await refuses(world, { HOME }, /a part of its path is not a folder/, /mend the path/);
  });

  test('a HOME on a file system that is mounted read-only', async () => {
    await using world = await World.create();
    await using disk = await SmallDisk.mount(world, 'size=64k,ro');
    for (const command of COMMANDS.slice(0, 3))
      fails(await outcome(disk.start(command)), 8, /cannot use .*: the file system is read-only/, /make it writable/);
    assert.deepEqual(world.sandbox.seen, []);
  });

  for (const depth of ['', 'podio', 'podio/deeper'])
    test(`a folder below one that everybody may write to${depth && `, as far as ${depth}`}`, async () => {
      const world = await World.create();
      const open = join(world.home, 'open');
      mkdirSync(join(open, depth), { recursive: true });
      chmodSync(open, 0o777);
      await refuses(world, { PODIO_DATA_DIR: join(open, depth, 'data') }, /open can be written by everybody/, /set it right/);
    });

  test('but one below /tmp, where nobody can rename what is not his, is good', async (t) => {
    await using world = await World.create();
    const open = join(world.home, 'open');
    mkdirSync(open);
    chmodSync(open, 0o1777);
    succeeds(await world.podio(['call', '/item/123'], { env: { XDG_DATA_HOME: open } }));
  });

  test('a data folder that is a link', async () => {
    const world = await World.create();
    mkdirSync(join(world.home, 'elsewhere'));
    symlinkSync('elsewhere', join(world.home, 'sessions'));
    await refuses(world, { PODIO_DATA_DIR: world.home }, /sessions is not a folder/, /set it right/);
  });
});

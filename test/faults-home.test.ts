import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { outcome, World } from './support/cli.ts';
import { fails, loggedIn, succeeds } from './support/commands.ts';
import { SmallDisk } from './support/tmpfs.ts';

const IS_ROOT = process.geteuid?.() === 0;
const NOBODY = 65534;
const ITEM = '/item/123';
type Env = Readonly<Record<string, string | undefined>>;

/** Each of them logs in where it can: the environment names a whole login. */
const COMMANDS = [['login', '--app'], ['call', ITEM], ['token']];

// What a command loads it loads now: later, in somebody else's rights, it might not be allowed to.
before(async () => {
  await using world = await World.create();
  for (const command of COMMANDS) succeeds(await world.podio(command));
});

suite('row 9: where nothing can be kept, that is said before anything is sent', () => {
  const places: Record<string, readonly [env: Env, why: RegExp, hint: RegExp]> = {
    'HOME that is not set': [{ HOME: undefined }, /HOME is not set/, /set HOME.*PODIO_DATA_DIR/],
    'HOME that is empty': [{ HOME: '' }, /HOME is not set/, /set HOME.*PODIO_DATA_DIR/],
    'HOME that is "/"': [{ HOME: '/' }, /HOME is "\/"/, /set HOME.*PODIO_DATA_DIR/],
    'HOME that is relative': [{ HOME: 'home/ada' }, /HOME is not an absolute path/, /begins with "\/"/],
    'XDG_DATA_HOME that is relative': [{ XDG_DATA_HOME: '.share' }, /XDG_DATA_HOME is not an/, /begins with/],
    'XDG_CONFIG_HOME that is relative': [{ XDG_CONFIG_HOME: '.conf' }, /XDG_CONFIG_HOME is not an/, /begins/],
    'PODIO_CONFIG_DIR that is relative': [
      { PODIO_CONFIG_DIR: 'conf' },
      /CONFIG_DIR is not an/,
      /begins with/,
    ],
    'PODIO_DATA_DIR that is relative': [{ PODIO_DATA_DIR: '../data' }, /DATA_DIR is not an/, /begins with/],
  };
  for (const [name, [env, why, hint]] of Object.entries(places)) {
    test(`a ${name}`, async () => {
      await using world = await World.create();
      await refuses(world, env, why, hint);
    });
  }

  test('a HOME that is a file', async () => {
    await using world = await World.create();
    writeFileSync(join(world.home, 'file'), '');
    await refuses(
      world,
      { HOME: join(world.home, 'file') },
      /a part of its path is not a folder/,
      /mend the path/,
    );
  });

  test('a HOME on a file system that is mounted read-only', async () => {
    await using world = await World.create();
    await using disk = await SmallDisk.mount(world, 'size=64k,ro');
    for (const command of COMMANDS)
      fails(
        await outcome(disk.start(command)),
        8,
        /cannot use .*: the file system is read-only/,
        /make it writable/,
      );
    assert.deepEqual(world.sandbox.seen, []);
  });

  for (const below of ['data', 'podio/data', 'podio/deeper/data']) {
    test(`a folder below one that everybody may write to: ${below}`, async () => {
      await using world = await World.create();
      const open = join(world.home, 'open');
      mkdirSync(join(open, 'podio'), { recursive: true });
      chmodSync(open, 0o777);
      await refuses(
        world,
        { PODIO_DATA_DIR: join(open, below) },
        /open can be written by everybody/,
        /set it right/,
      );
    });
  }

  test('settings that everybody may write, or whose folder is open to everybody', async () => {
    await using world = await World.create();
    const XDG_CONFIG_HOME = join(world.home, 'config');
    mkdirSync(join(XDG_CONFIG_HOME, 'podio'), { recursive: true });
    const file = join(XDG_CONFIG_HOME, 'podio/config.json');
    writeFileSync(file, '{}');
    for (const [place, closed] of [[file, 0o644] as const, [join(file, '..'), 0o755] as const]) {
      chmodSync(place, 0o777);
      await refuses(
        world,
        { XDG_CONFIG_HOME },
        /settings are not read: .* written by everybody/,
        /chmod o-w/,
      );
      chmodSync(place, closed);
    }
    succeeds(await world.podio(['call', ITEM], { env: { XDG_CONFIG_HOME } }));
  });

  test('an XDG_DATA_HOME that everybody may write to', async () => {
    await using world = await World.create();
    const XDG_DATA_HOME = join(world.home, 'open');
    mkdirSync(XDG_DATA_HOME);
    chmodSync(XDG_DATA_HOME, 0o777);
    await refuses(world, { XDG_DATA_HOME }, /open can be written by everybody/, /set it right/);
  });

  test('but not a folder in which nobody can rename what is not his, as /tmp is', async () => {
    await using world = await World.create();
    chmodSync(world.home, 0o1777);
    succeeds(await world.podio(['call', ITEM], { env: { XDG_DATA_HOME: world.home } }));
  });

  test('a folder of sessions that is a link', async () => {
    await using world = await World.create();
    mkdirSync(join(world.home, 'elsewhere'));
    symlinkSync('elsewhere', join(world.home, 'sessions'));
    await refuses(world, { PODIO_DATA_DIR: world.home }, /sessions is not a folder/, /set it right/);
    assert.deepEqual(readdirSync(join(world.home, 'elsewhere')), []);
  });

  test('a HOME that its user may not write to', async () => {
    await using world = await World.create();
    chmodSync(world.home, 0o555);
    await asOrdinaryUser(() => refuses(world, {}, /cannot use .*: permission denied/, /ls -ld/));
  });

  test('a HOME that its user may not even enter', async () => {
    await using world = await World.create();
    const HOME = join(world.home, 'closed', 'ada');
    mkdirSync(HOME, { recursive: true });
    if (IS_ROOT) chmodSync(world.home, 0o755);
    chmodSync(join(world.home, 'closed'), 0);
    const env = { HOME, XDG_CONFIG_HOME: '/nowhere' };
    await asOrdinaryUser(() => refuses(world, env, /: permission denied/, /ls -ld/));
    chmodSync(join(world.home, 'closed'), 0o700);
  });

  test("another user's HOME, as an ordinary user", async () => {
    await using world = await World.create();
    await asOrdinaryUser(() =>
      refuses(world, { HOME: '/usr' }, /cannot use .*: permission denied/, /ls -ld/),
    );
  });

  const root = { skip: !IS_ROOT && 'only root can be somebody else' };

  test("another user's HOME, as root under sudo", root, async () => {
    await using world = await World.create();
    chownSync(world.home, NOBODY, NOBODY);
    await refuses(world, {}, /would be root's in another user's folder/, /sudo -H/);
  });

  test("another user's sessions, as root under sudo", root, async () => {
    await using world = await loggedIn();
    for (const name of ['', ...readdirSync(world.home, { recursive: true, encoding: 'utf8' })])
      chownSync(join(world.home, name), NOBODY, NOBODY);
    await refuses(world, {}, /belongs to another user \(uid 65534\)/, /sudo -H/);
  });
});

async function refuses(world: World, env: Env, why: RegExp, hint: RegExp): Promise<void> {
  for (const command of COMMANDS) fails(await world.podio(command, { env }), 8, why, hint);
  assert.deepEqual(world.sandbox.seen, []);
}

/** Root may do anything; where the tests are root's, the work is done in the rights of nobody. */
async function asOrdinaryUser(work: () => Promise<void>): Promise<void> {
  if (!IS_ROOT) return work();
  process.seteuid?.(NOBODY);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}

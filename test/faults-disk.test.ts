import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { before, suite, test } from 'node:test';
import { BIN, outcome, World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds } from './support/commands.ts';
import { litterOf, sessionFile } from './support/data-folder.ts';
import { checkStrace, type Operation, pathsIn, traced } from './support/strace.ts';
import { SmallDisk } from './support/tmpfs.ts';

/** What to do about each kind of trouble, as the message must say it. */
const REMEDIES: Readonly<Record<string, RegExp>> = {
  ENOSPC: /free some space/i,
  EDQUOT: /free some space/i,
  EROFS: /make it writable/,
  EACCES: /ls -ld/,
  EIO: /disk/,
  EMFILE: /ulimit -n/,
};

type Refresh = Awaited<ReturnType<typeof operationsOf>>;

// No token is spent where the store cannot be written; and once spent, what it brought is not lost unless it cannot
// be written to the place that was made ready for it.
async function fatesUnder(
  world: World,
  errno: string,
  { operations, paths, answer }: Refresh,
): Promise<string[]> {
  const fates: string[] = [];
  for (const [at, { syscall, nth }] of operations.entries()) {
    // There it says that another process has the lock (fcntl(2)).
    if (syscall === 'fcntl' && errno === 'EACCES') continue;
    const trouble = { errno, inject: `${syscall}:error=${errno}:when=${nth}+`, paths };
    const fate = await fateOf(world, trouble);
    assert.ok(at < answer ? ['done', 'refused'].includes(fate) : fate !== 'refused', trouble.inject);
    assert.equal(fate === 'lost', at === answer, trouble.inject);
    fates.push(fate);
  }
  return fates;
}

const ERRNOS = Object.keys(REMEDIES);
/** A refresh token that comes back ends the session. */
const STRICT = { endFamilyOnReplay: true };
const REFRESH = { grant: 'refresh_token' };

before(checkStrace);

suite('operations on files that fail in a refresh', { concurrency: true }, () => {
  for (const errnos of [ERRNOS.slice(0, 3), ERRNOS.slice(3)]) {
    test(`row 4: ${errnos.join(', ')} at each of them and from there on`, async (t) => {
      await using world = await loggedIn(STRICT);
      const refresh = await operationsOf(world);
      const fates: string[] = [];
      for (const errno of errnos) fates.push(...(await fatesUnder(world, errno, refresh)));
      t.diagnostic(`${fates.length} points: ${tally(fates)}`);
      succeeds(await world.podio(['refresh'], nothingSet()));
      assert.deepEqual(litterOf(world), []);
    });
  }

  test('row 4: EINTR at each of them is taken for what it is', async () => {
    await using world = await loggedIn(STRICT);
    const { operations, paths } = await operationsOf(world);
    for (const { syscall, nth } of operations) {
      const inject = `${syscall}:error=EINTR:when=${nth}`;
      succeeds(await traced(world, ['refresh'], { ...nothingSet(), paths, inject }));
    }
    assert.deepEqual(litterOf(world), []);
  });

  test('row 4: any trouble that comes once after the token was spent is got over', async () => {
    await using world = await loggedIn(STRICT);
    const { operations, paths, answer } = await operationsOf(world);
    const points = ERRNOS.flatMap((errno) => operations.slice(answer).map((one) => ({ errno, ...one })));
    for (const { errno, syscall, nth } of points) {
      const inject = `${syscall}:error=${errno}:when=${nth}`;
      succeeds(await traced(world, ['refresh'], { ...nothingSet(), paths, inject }));
    }
    succeeds(await world.podio(['refresh'], nothingSet()));
    assert.deepEqual(litterOf(world), []);
  });
});

suite('a disk without room', () => {
  test('row 4: a full one takes a part of a write: no token is spent, and the session stays byte for byte', async () => {
    await using world = await World.create(STRICT);
    await using disk = await SmallDisk.mount(world, 'size=64k');
    succeeds(await outcome(disk.start(['login', '--app'])));
    const file = sessionFile({ home: disk.path(world.home) });
    const old = readFileSync(file);
    world.sandbox.clearSeen();
    for (const pagesLeft of [0, 1]) {
      disk.fill(pagesLeft);
      for (const command of [['refresh'], ['login', '--app']])
        fails(await outcome(disk.start(command)), 8, /cannot write .*: the disk is full/, /free some space/);
      assert.deepEqual(readFileSync(file), old);
    }
    assert.deepEqual(world.sandbox.seen, []);
    disk.empty();
    succeeds(await outcome(disk.start(['refresh'], nothingSet())));
  });

  test('row 4: one that fills up while Podio answers has room for the answer all the same', async () => {
    await using world = await World.create(STRICT);
    await using disk = await SmallDisk.mount(world, 'size=64k');
    succeeds(await outcome(disk.start(['login', '--app'])));
    const hold = world.sandbox.hold(REFRESH);
    const ended = outcome(disk.start(['refresh'], nothingSet()));
    await hold.arrived();
    disk.fill();
    hold.release();
    succeeds(await ended);
    disk.empty();
    succeeds(await outcome(disk.start(['refresh'], nothingSet())));
  });

  test('row 4: a limit of the size of files refuses in time, and tears nothing where it comes too late', async () => {
    await using world = await loggedIn({ rotate: false });
    const old = readFileSync(sessionFile(world));
    const limited = spawn('prlimit', ['--fsize=4096', process.execPath, BIN, 'refresh'], {
      env: world.env(nothingSet().env),
    });
    fails(await outcome(limited), 8, /cannot write .*: files may not grow/, /ulimit -f/);
    assert.equal(world.sandbox.tokenRequests(), 0);
    const hold = world.sandbox.hold(REFRESH);
    const child = world.start(['refresh'], nothingSet());
    const ended = outcome(child);
    await hold.arrived();
    assert.equal(spawnSync('prlimit', ['--pid', String(child.pid), '--fsize=300']).status, 0);
    hold.release();
    fails(await ended, 8, /cannot write .*: files may not grow/, /ulimit -f/);
    assert.deepEqual(readFileSync(sessionFile(world)), old);
    succeeds(await world.run(['refresh'], nothingSet()));
    assert.deepEqual(litterOf(world), []);
  });
});

interface Operations {
  readonly operations: readonly Operation[];
  readonly paths: readonly string[];
  /** Which of them is the first to write what Podio answered. */
  readonly answer: number;
}

/** What a refresh does to the files of the store. */
async function operationsOf(world: World): Promise<Operations> {
  const first = await traced(world, ['refresh'], nothingSet());
  const paths = pathsIn(world.home, first.operations).filter((path) => !path.endsWith('/config.json'));
  const { operations } = await traced(world, ['refresh'], { ...nothingSet(), paths });
  return { operations, paths, answer: operations.findLastIndex(({ syscall }) => syscall === 'pwrite64') };
}

interface Trouble {
  readonly errno: string;
  readonly inject: string;
  readonly paths: readonly string[];
}

/** What becomes of a refresh in trouble, and of its session. */
type Fate = 'done' | 'refused' | 'kept' | 'lost';

async function fateOf(world: World, { errno, inject, paths }: Trouble): Promise<Fate> {
  const file = sessionFile(world);
  const old = readFileSync(file);
  world.sandbox.clearSeen();
  const done = await traced(world, ['refresh'], { ...nothingSet(), paths, inject });
  if (done.exit === 0) return 'done';
  assert.match(done.stderr, new RegExp(`^podio: cannot \\w+ ${world.home}/.*\nhint: .*\n$`), inject);
  assert.match(done.stderr, REMEDIES[errno] ?? /^$/, inject);
  assert.equal(done.exit, 8, inject);
  const isNew = !readFileSync(file).equals(old);
  if (world.sandbox.tokenRequests() === 0 && !isNew) return 'refused';
  const next = await world.podio(['refresh'], nothingSet());
  if (next.exit === 0) return 'kept';
  assert.equal(isNew, false, inject);
  succeeds(await world.podio(['login', '--app']));
  return 'lost';
}

function tally(words: readonly string[]): string {
  return [...new Set(words)]
    .map((word) => `${words.filter((one) => one === word).length} ${word}`)
    .join(', ');
}

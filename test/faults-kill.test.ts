import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { before, suite, type TestContext, test } from 'node:test';
import type { Hold, SandboxOptions } from '../src/sandbox/sandbox.ts';
import { type Outcome, outcome, type RunOptions, type World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds } from './support/commands.ts';
import { litterOf, sessionFile } from './support/data-folder.ts';
import { caught } from './support/proc.ts';
import { promptly } from './support/promptly.ts';
import { checkStrace, pathsIn, traced } from './support/strace.ts';

const ITEM = '/item/123';
const REFRESH = { grant: 'refresh_token' };
/** A refresh token is good once; one that comes back ends the session. */
const STRICT: SandboxOptions = { rotate: true, endFamilyOnReplay: true };
/** The old refresh token stays good. */
const FORGIVING: SandboxOptions = { rotate: false };

const NO_ADDON = resolve(import.meta.dirname, 'support/without-addon.cjs');
const KILL_AFTER = resolve(import.meta.dirname, 'support/kill-after.cjs');

/** Environment that takes the addon away, or does not. */
type Addon = Readonly<Record<string, string>>;

const LOCKS: Readonly<Record<string, Addon>> = {
  'the lock of the kernel': {},
  'the lock in plain Node': { NODE_OPTIONS: `--require "${NO_ADDON}"` },
};

before(checkStrace);

suite('a refresh that does not go on', { concurrency: true }, () => {
  test('row 2: killed before any operation on files, it costs one session at most where tokens are single-use', async (t) => {
    const lost = await killAtEachOperation(t, STRICT);
    assert.ok(lost.length <= 1, `killed before ${lost.join(', ')} it was lost`);
  });

  test('row 2: killed before any operation on files, it costs none where the old token is good again', async (t) => {
    assert.deepEqual(await killAtEachOperation(t, FORGIVING), []);
  });

  for (const [kind, addon] of Object.entries(LOCKS)) {
    test(`row 2: killed right after any operation on files, it never costs a session (${kind})`, async (t) => {
      const names = await killAfterEachOperation(STRICT, addon);
      t.diagnostic(`${names.length} points: ${names}`);
      assert.ok(names.includes('fsyncSync') && names.includes('renameSync') && names.length > 25);
    });
  }

  test('row 2: killed between its last operation on files and its request, it has spent nothing', async () => {
    await using world = await loggedIn(STRICT);
    const inject = 'connect:signal=SIGKILL:when=1';
    const { exit } = await traced(world, ['refresh'], { ...nothingSet(), inject, kinds: 'connect' });
    assert.deepEqual([exit, world.sandbox.tokenRequests()], [137, 0]);
    succeeds(await world.run(['refresh'], nothingSet()));
    assert.equal(world.sandbox.tokenRequests(), 1);
    assert.deepEqual(litterOf(world), []);
  });

  for (const [kind, env] of Object.entries(LOCKS)) {
    test(`row 5: stopped, it is waited for 20 s, and goes on by itself when it wakes (${kind})`, async () => {
      await using world = await loggedIn(STRICT);
      const { holder, ended, hold } = await heldInRefresh(world, env);
      holder.kill('SIGSTOP');
      const since = performance.now();
      const waiter = await promptly(world, ['refresh'], { ...nothingSet(env), seconds: 40 });
      assert.ok(performance.now() - since < 30_000);
      const why = new RegExp(`process ${holder.pid} holds ${sessionFile(world)}\\.lock`);
      fails(waiter, 8, why, /wait for it or end it/);
      // By all its clocks its time is up when it wakes; the answer, though, has come meanwhile.
      hold.release();
      await world.sandbox.when({ ...REFRESH, status: 200 });
      holder.kill('SIGCONT');
      succeeds(await ended);
      assert.equal(world.sandbox.tokenRequests(), 1);
      succeeds(await world.run(['refresh'], nothingSet(env)));
      assert.deepEqual(litterOf(world), []);
    });
  }
});

suite('a refresh whose process is killed while others wait for it', () => {
  for (const [kind, env] of Object.entries(LOCKS)) {
    test(`row 5: is taken over at once by one of 12, and by no other (${kind})`, async (t) => {
      const delays: number[] = [];
      for (let round = 0; round < 3; round++) delays.push(await killHolder(env));
      t.diagnostic(`the next one asked Podio after ${delays.join(', ')} ms`);
      assert.ok(Math.min(...delays) <= 250);
    });
  }
});

suite('a refresh whose process is asked to stop', { concurrency: true }, () => {
  const codes = [['SIGINT', 130] as const, ['SIGTERM', 143] as const, ['SIGHUP', 129] as const];
  for (const [signal, exit] of codes) {
    test(`row 10: ${signal} lets it save what it gets, send nothing more, and end with ${exit}`, async () => {
      await using world = await loggedIn(STRICT);
      const { holder, ended, hold } = await heldInRefresh(world);
      holder.kill(signal);
      await caught(holder, signal);
      hold.release();
      assert.deepEqual(await ended, { exit, stdout: '', stderr: '' });
      assert.equal(world.sandbox.seen.filter(({ path }) => path === ITEM).length, 1);
      succeeds(await world.run(['call', ITEM], nothingSet()));
      assert.equal(world.sandbox.tokenRequests(), 1);
      assert.deepEqual(litterOf(world), []);
    });
  }

  test('row 10: a second signal ends it at once, and the next one tidies up', async () => {
    await using world = await loggedIn(FORGIVING);
    const { holder, ended, hold } = await heldInRefresh(world);
    holder.kill('SIGINT');
    await caught(holder, 'SIGINT');
    holder.kill('SIGINT');
    await ended;
    assert.equal(holder.signalCode, 'SIGINT');
    hold.release();
    succeeds(await world.run(['call', ITEM], nothingSet()));
    assert.deepEqual(litterOf(world), []);
  });

  test('row 10: a power cut finds the old session or the new: file, name and folder reach the disk in that order', async () => {
    await using world = await loggedIn(STRICT);
    const file = sessionFile(world);
    const paths = [resolve(file, '..'), file, `${file}.new`];
    const { operations } = await traced(world, ['refresh'], { ...nothingSet(), paths });
    const steps = operations.filter(({ syscall }) => ['pwrite64', 'fsync', 'rename'].includes(syscall));
    assert.deepEqual(
      steps.map(({ syscall, line }) => [syscall, /^\w+\((?:\d+<)?"?([^>"]*)/.exec(line)?.[1]]),
      [
        ...[0, 1].flatMap(() => [
          ['pwrite64', `${file}.new`],
          ['fsync', `${file}.new`],
        ]),
        ['rename', `${file}.new`],
        ['fsync', resolve(file, '..')],
      ],
    );
  });
});

/** Kills a refresh before each of its operations on files in turn; answers before which it cost the session. */
async function killAtEachOperation(t: TestContext, options: SandboxOptions): Promise<string[]> {
  await using world = await loggedIn(options);
  const first = await traced(world, ['refresh'], nothingSet());
  const paths = pathsIn(world.home, first.operations);
  const { operations } = await traced(world, ['refresh'], { ...nothingSet(), paths });
  const lost: string[] = [];
  const times: number[] = [];
  for (const { syscall, nth } of operations) {
    succeeds(await world.podio(['login', '--app']));
    const inject = `${syscall}:signal=SIGKILL:when=${nth}`;
    const { exit } = await traced(world, ['refresh'], { ...nothingSet(), paths, inject });
    assert.equal(exit, 137, `${syscall} ${nth}`);
    assert.ok(holdsSession(world), `damaged before ${syscall} ${nth}`);
    const since = performance.now();
    const next = await world.run(['refresh'], nothingSet());
    times.push(performance.now() - since);
    if (next.exit === 3) lost.push(`${syscall} ${nth}`);
    else succeeds(next);
    assert.deepEqual(litterOf(world), [], `${syscall} ${nth}`);
  }
  const median = times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
  t.diagnostic(
    `${times.length} points, ${lost.length} lost (${lost}); the next took ${Math.round(median)} ms`,
  );
  assert.ok(times.length > 50 && median < 1000);
  return lost;
}

/**
 * Kills a refresh after each of its operations on files in turn, and has the next one go on; answers which they were.
 * Here the kernel's part of locking, which is no operation of Node's, is one with the operation before it.
 */
async function killAfterEachOperation(options: SandboxOptions, addon: Addon): Promise<string[]> {
  await using world = await loggedIn(options);
  const preloaded = `--require "${KILL_AFTER}" ${addon.NODE_OPTIONS ?? ''}`;
  const refresh = (more: RunOptions['env']) =>
    world.run(['refresh'], nothingSet({ NODE_OPTIONS: preloaded, ...more }));
  const log = resolve(world.home, 'operations');
  succeeds(await refresh({ TEST_COUNT_IN: log }));
  const names = readFileSync(log, 'utf8').trim().split('\n');
  for (const [at, name] of names.entries()) {
    const { exit } = await refresh({ TEST_KILL_AFTER: String(at + 1) });
    assert.equal(exit, 137, `${name} ${at}`);
    assert.ok(holdsSession(world), `damaged after ${name} ${at}`);
    const next = await world.run(['refresh'], nothingSet({ ...addon }));
    assert.equal(next.exit, 0, `after ${name} ${at}: ${next.stderr}`);
    assert.deepEqual(
      litterOf(world).filter((left) => !isNamedDraft(left)),
      [],
      `${name} ${at}`,
    );
  }
  return names;
}

// Of a lock in plain Node: killed before it could say whose it is, it is swept away when it is an hour old.
function isNamedDraft(name: string): boolean {
  return /\.lock\.(new|break)\./.test(name);
}

function holdsSession(world: World): boolean {
  const { access_token, refresh_token } = JSON.parse(readFileSync(sessionFile(world), 'utf8'));
  return [access_token, refresh_token].every((token) => world.sandbox.secrets.includes(token));
}

interface Held {
  readonly holder: ChildProcess;
  readonly ended: Promise<Outcome>;
  readonly hold: Hold;
}

/** A call that has the lock and waits for the answer to its refresh. */
async function heldInRefresh(world: World, env: RunOptions['env'] = {}): Promise<Held> {
  world.sandbox.expireAccessTokens();
  const hold = world.sandbox.hold(REFRESH);
  const holder = world.start(['call', ITEM], nothingSet(env));
  const ended = outcome(holder);
  await hold.arrived();
  return { holder, ended, hold };
}

/** Kills a process in its refresh while 12 wait for it; answers after how many milliseconds one of them has begun its own. */
async function killHolder(env: RunOptions['env']): Promise<number> {
  await using world = await loggedIn(FORGIVING);
  const { sandbox } = world;
  const { holder, ended, hold } = await heldInRefresh(world, env);
  const others = Array.from({ length: 12 }, () => world.run(['call', ITEM], nothingSet(env)));
  await sandbox.when({ path: ITEM, status: 401 }, 13);
  const killedAt = Date.now();
  holder.kill('SIGKILL');
  await sandbox.when(REFRESH, 2);
  hold.release();
  for (const done of await Promise.all([...others])) succeeds(done);
  assert.equal((await ended).exit, 137);
  assert.equal(sandbox.tokenRequests(), 2);
  assert.deepEqual(litterOf(world), []);
  return (sandbox.seen.filter(({ grantType }) => grantType === REFRESH.grant)[1]?.at ?? 0) - killedAt;
}

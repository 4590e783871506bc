import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { StoreError } from '../src/errors.ts';
import { acquireLock } from '../src/session/lock.ts';
import { newOwner } from '../src/session/lock-file.ts';
import type { LockOrder } from './support/lock-child.ts';
import { LockChild } from './support/lock-children.ts';
import { inTime } from './support/promptly.ts';

const ONLY_LINUX = { skip: process.platform !== 'linux' && 'only /proc shows it' };
const IS_ROOT = process.geteuid?.() === 0;
const pool = LockChild.startMany(20);
after(LockChild.killAll);

for (const kernel of [true, false]) {
  const take = (path: string, timeoutMs: number) => acquireLock(path, { timeoutMs, kernel });

  suite(kernel ? 'the lock of the kernel' : 'the lock in plain Node', () => {
    test('row 5: passes at once from a killed holder to one of 12 contenders, 20 times', async (t) => {
      const folder = newFolder(t);
      const [path, file] = [join(folder, 'lock'), join(folder, 'witness')];
      const contenders = (await pool).slice(0, 12);
      const waits: number[] = [];
      for (const holder of await LockChild.startMany(20)) {
        await holder.ask({ what: 'hold', path, kernel });
        await Promise.all(contenders.map((child) => child.ask({ what: 'race', path, kernel, file })));
        const killedAt = Date.now();
        holder.process.kill('SIGKILL');
        const races = (await Promise.all(contenders.map((child) => child.hear()))) as Race[];
        waits.push(Math.min(...races.map(({ at }) => at)) - killedAt);
        assert.ok(
          races.every(({ alone }) => alone),
          'two were in at once',
        );
      }
      assertAtOnce(t, waits);
      assert.deepEqual(fs.readdirSync(folder), []);
    });

    test('loses none of 1,000 increments by 20 processes', async (t) => {
      await countTogether(t, await pool, { kernel, times: 50 });
    });

    test('excludes the callers within one process from each other', async (t) => {
      const path = join(newFolder(t), 'lock');
      let inside = 0;
      const enter = async () => {
        const release = await take(path, 10_000);
        inside++;
        await nextTurn();
        assert.equal(inside--, 1);
        release();
      };
      await Promise.all(Array.from({ length: 30 }, enter));
    });

    test('row 5: ends the wait for a stopped holder in time and names it; awake again it holds alone', async (t) => {
      const path = join(newFolder(t), 'lock');
      const holder = await LockChild.start();
      await holder.ask({ what: 'hold', path, kernel });
      holder.process.kill('SIGSTOP');
      const patient = take(path, 20_000);
      await assert.rejects(inTime(take(path, 300), 5), isStoreError(`process ${holder.pid} holds ${path}`));
      holder.process.kill('SIGCONT');
      await assert.rejects(inTime(take(path, 50), 5), isStoreError(`process ${holder.pid} holds ${path}`));
      const releasedAt = performance.now();
      await holder.ask({ what: 'release', path, kernel });
      (await patient)();
      assert.ok(performance.now() - releasedAt < 500);
    });

    test('is given back once, however often that is asked', async (t) => {
      const folder = newFolder(t);
      const path = join(folder, 'lock');
      const release = await take(path, 0);
      release();
      const next = await take(path, 0);
      release();
      await assert.rejects(take(path, 0), isStoreError(`process ${process.pid} (this one) holds ${path}`));
      next();
      assert.deepEqual(fs.readdirSync(folder), []);
    });

    test('leaves alone what another one put in its place', async (t) => {
      const path = join(newFolder(t), 'lock');
      const release = await take(path, 0);
      fs.rmSync(path);
      fs.writeFileSync(path, '{"pid":1}');
      release();
      assert.equal(fs.readFileSync(path, 'utf8'), '{"pid":1}');
    });

    test('refuses a link, a pipe, a folder and a socket without waiting, and leaves them alone', async (t) => {
      const folder = newFolder(t);
      for (const [name, make] of Object.entries(STRANGERS)) {
        const path = join(folder, name);
        await make(path, t);
        await assert.rejects(take(path, 2000), isStoreError(`cannot lock ${path}: it is not a regular file`));
      }
      assert.deepEqual(fs.readdirSync(folder).sort(), [...Object.keys(STRANGERS), 'data'].sort());
      assert.equal(fs.readFileSync(join(folder, 'data'), 'utf8'), 'precious');
    });

    test('refuses the file of another user', { skip: !IS_ROOT && 'only root can make one' }, async (t) => {
      const path = ownedBy(t, {});
      fs.chownSync(path, 65534, 65534);
      await assert.rejects(take(path, 2000), isStoreError(`cannot lock ${path}: it is not a regular file`));
    });

    test('names the file and the remedy where the folder may not be written', async (t) => {
      const folder = newFolder(t);
      const path = join(folder, 'lock');
      fs.chmodSync(folder, 0o555);
      if (IS_ROOT) process.seteuid?.(65534);
      const locked = take(path, 2000);
      if (IS_ROOT) process.seteuid?.(0);
      await assert.rejects(locked, isStoreError('(EACCES)'));
    });

    test('names the file and the remedy where there is no folder', async (t) => {
      const path = join(newFolder(t), 'none', 'lock');
      await assert.rejects(take(path, 2000), (error) => {
        assert.ok(error instanceof StoreError && error.cause instanceof Error);
        assert.match(error.message, /cannot lock .*none.lock \(ENOENT\)/);
        return /mkdir/.test(error.hint ?? '');
      });
    });

    test('waits for a lock of the other kind', async (t) => {
      const path = join(newFolder(t), 'lock');
      const release = await acquireLock(path, { kernel: !kernel });
      await assert.rejects(take(path, 50), isStoreError(path));
      release();
      (await take(path, 0))();
    });
  });
}

suite('the lock in plain Node, where an owner is dead or may be', () => {
  const take = (path: string) => acquireLock(path, { timeoutMs: 0, kernel: false });

  test('knows a dead owner whose pid another process has now', async (t) => {
    const path = ownedBy(t, { startTime: '1' });
    (await take(path))();
    assert.throws(() => fs.readFileSync(path), /ENOENT/);
  });

  test('knows an owner that was killed and that its parent has not fetched', ONLY_LINUX, async (t) => {
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60']);
    t.after(() => parent.kill('SIGKILL'));
    const [output] = await once(parent.stdout, 'data');
    const pid = Number(output);
    const path = ownedBy(t, { pid, startTime: startTimeOf(pid) });
    await assert.rejects(take(path), isStoreError(`process ${pid} holds ${path}`));
    process.kill(pid, 'SIGKILL');
    while (!/^State:\tZ/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))) await nextTurn();
    (await take(path))();
  });

  test('takes the lock of another machine only after a minute', async (t) => {
    const path = ownedBy(t, { place: 'elsewhere', pid: 2 ** 30 });
    await assert.rejects(take(path), isStoreError('of another machine or container holds'));
    age(path, 61);
    (await take(path))();
  });

  test('takes a file half written only after a minute', async (t) => {
    const path = ownedBy(t, {});
    fs.writeFileSync(path, '{"pid":');
    await assert.rejects(take(path), isStoreError(`another process holds ${path}`));
    age(path, 61);
    (await take(path))();
  });

  test('sweeps away what killed contenders left, and nothing else', async (t) => {
    const path = ownedBy(t, { startTime: '1' });
    const dead = JSON.stringify({ ...newOwner(), startTime: '1' });
    fs.writeFileSync(`${path}.new.1`, dead);
    fs.writeFileSync(`${path}.break.2`, dead);
    fs.writeFileSync(`${path}.break.2.new.3`, '');
    age(`${path}.break.2.new.3`, 3601);
    fs.writeFileSync(`${path}.new.4`, JSON.stringify(newOwner()));
    fs.writeFileSync(`${path}.new.5`, '');
    fs.writeFileSync(`${path}er`, dead);
    (await take(path))();
    assert.deepEqual(fs.readdirSync(join(path, '..')), ['lock.new.4', 'lock.new.5', 'locker']);
  });

  test('leaves a dead owner to the one that is already replacing it', async (t) => {
    const path = ownedBy(t, { startTime: '1' });
    const { token } = JSON.parse(fs.readFileSync(path, 'utf8'));
    fs.writeFileSync(`${path}.break.${token}`, JSON.stringify(newOwner()));
    await assert.rejects(take(path), StoreError);
    assert.equal(JSON.parse(fs.readFileSync(path, 'utf8')).token, token);
  });

  test('passes on when the one that was replacing a dead owner was killed too', async (t) => {
    const path = ownedBy(t, { startTime: '1' });
    const { token } = JSON.parse(fs.readFileSync(path, 'utf8'));
    fs.writeFileSync(`${path}.break.${token}`, JSON.stringify({ ...newOwner(), startTime: '1' }));
    (await take(path))();
    assert.deepEqual(fs.readdirSync(join(path, '..')), []);
  });

  test('loses no increment though every other holder dies and all want to replace it', async (t) => {
    await countTogether(t, (await pool).slice(0, 12), { kernel: false, times: 50, dying: true });
  });

  test('needs no hard links', async (t) => {
    const children = await LockChild.startMany(6, 'without-links');
    await countTogether(t, children, { kernel: false, times: 30 });
  });
});

/** Most waits, in milliseconds, and not all: a busy machine may leave every process unattended for a while. */
function assertAtOnce(t: TestContext, waits: readonly number[]): void {
  const sorted = waits.toSorted((a, b) => a - b);
  const [shortest = -1, middle = Infinity] = [sorted[0], sorted[Math.floor(waits.length / 2)]];
  t.diagnostic(`first in after ${shortest} to ${sorted.at(-1)} ms, mostly ${middle}`);
  assert.ok(shortest >= 0, 'one was in before the holder had gone');
  assert.ok(middle <= 250);
}

interface Race {
  readonly at: number;
  readonly alone: boolean;
}

async function countTogether(
  t: TestContext,
  children: LockChild[],
  how: Pick<LockOrder, 'kernel' | 'times' | 'dying'>,
) {
  const folder = newFolder(t);
  const [path, file] = [join(folder, 'lock'), join(folder, 'counter')];
  fs.writeFileSync(file, '0');
  await Promise.all(children.map((child) => child.ask({ what: 'count', path, file, ...how })));
  assert.equal(Number(fs.readFileSync(file, 'utf8')), children.length * (how.times ?? 0));
  assert.deepEqual(fs.readdirSync(folder), ['counter']);
}

const STRANGERS: Record<string, (path: string, t: TestContext) => unknown> = {
  link: (path) => {
    fs.writeFileSync(join(path, '..', 'data'), 'precious');
    fs.symlinkSync('data', path);
  },
  deadlink: (path) => fs.symlinkSync('nothing', path),
  pipe: (path) => spawnSync('mkfifo', [path]),
  folder: (path) => fs.mkdirSync(path),
  socket: async (path, t) => {
    const server = createServer().listen(path);
    t.after(() => server.close());
    await once(server, 'listening');
  },
};

function newFolder(t: TestContext): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'podio-lock-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A lock's path where an owner's record lies: this process's, but for the given fields. */
function ownedBy(t: TestContext, fields: object): string {
  const path = join(newFolder(t), 'lock');
  fs.writeFileSync(path, JSON.stringify({ ...newOwner(), ...fields }));
  return path;
}

function startTimeOf(pid: number): string | undefined {
  return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
}

function age(path: string, seconds: number): void {
  const then = Date.now() / 1000 - seconds;
  fs.utimesSync(path, then, then);
}

function isStoreError(message: string): (error: unknown) => boolean {
  return (error) => error instanceof StoreError && error.message.includes(message);
}

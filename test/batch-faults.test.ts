import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { calls, fileOf, printedBy } from './support/batches.ts';
import { BIN, outcome, type World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds } from './support/commands.ts';

const stored = nothingSet();

function pathsSeen(world: World): string[] {
  return world.sandbox.seen.map(({ method, path }) => `${method} ${path}`);
}

/** A batch in a process of its own, told by a signal to stop as soon as `hold` has so many calls. */
async function interrupted(
  world: World,
  options: readonly string[],
  until: Promise<void>,
  signal: NodeJS.Signals,
) {
  const child = spawn(process.execPath, [BIN, 'batch', ...options], {
    env: world.env(stored.env),
    cwd: world.home,
  });
  const ended = outcome(child);
  await until;
  child.kill(signal);
  return { child, ended };
}

test('^C: what was answered is printed, what was not is told, and nothing more is sent', async () => {
  await using world = await loggedIn();
  fileOf(world, [
    'GET /item/123',
    'GET /item/124',
    { path: '/item/app/123456/', body: { fields: { title: 'x' } } },
    'GET /item/125',
    'GET /item/126',
  ]);
  const hold = world.sandbox.hold({ method: 'POST' });
  const { ended } = await interrupted(world, ['calls', '--concurrency', '1'], hold.arrived(), 'SIGINT');
  const { exit, stdout, stderr } = await ended;
  assert.equal(exit, 130);
  assert.deepEqual(
    printedBy({ stdout }).map(({ id }) => id),
    [1, 2],
  );
  assert.match(
    stderr,
    /^batch: no answer came to line 3, POST \/item\/app\/123456\/\nbatch: 2 done, 1 sent without an answer, .*interrupted\n$/,
  );
  assert.deepEqual(pathsSeen(world), ['GET /item/123', 'GET /item/124', 'POST /item/app/123456/']);
});

test('^C: a call that is answered soon is waited for', async () => {
  await using world = await loggedIn();
  fileOf(world, [...calls(50)]);
  const hold = world.sandbox.hold({ path: '/item/124' });
  const { child, ended } = await interrupted(
    world,
    ['calls', '--concurrency', '2'],
    hold.arrived(),
    'SIGTERM',
  );
  await nextTurn();
  hold.release();
  const { exit, stdout, stderr } = await ended;
  assert.equal(exit, 143, String(child.signalCode));
  assert.ok(printedBy({ stdout }).some(({ id }) => id === 2));
  assert.doesNotMatch(stderr, /no answer came/);
});

/** Resolves as soon as the journal says so. */
async function journalHolds(world: World, text: string): Promise<void> {
  while (!readFileSync(join(world.home, 'journal'), 'utf8').includes(text)) await nextTurn();
}

const JOURNAL = ['--resume', 'journal'];

test('after ^C, a second run with the journal sends only what is missing', async () => {
  await using world = await loggedIn();
  fileOf(world, calls(60));
  const hold = world.sandbox.hold({ path: '/item/143' });
  const { ended } = await interrupted(world, ['calls', ...JOURNAL], hold.arrived(), 'SIGINT');
  const first = printedBy(await ended).map(({ id }) => id);
  hold.release();
  world.sandbox.clearSeen();
  const second = await world.run(
    ['batch', join(world.home, 'calls'), '--resume', join(world.home, 'journal')],
    stored,
  );
  assert.equal(second.exit, 0, second.stderr);
  const all = [...first, ...printedBy(second).map(({ id }) => id)].map(Number).sort((a, b) => a - b);
  assert.deepEqual(
    all,
    Array.from({ length: 60 }, (_, at) => at + 1),
  );
  assert.equal(world.sandbox.seen.length, 60 - first.length);
});

test('after kill -9, nothing that was printed is sent again, and a POST in flight is listed and not repeated', async () => {
  await using world = await loggedIn();
  const post = { path: '/item/app/123456/', body: { fields: { title: 'x' } } };
  const file = fileOf(world, [...calls(5), post, post, 'GET /item/130']);
  const hold = world.sandbox.hold({ method: 'POST' });
  const noted = hold.arrived().then(() => journalHolds(world, '"line":5,"state":"done"'));
  const options = [file, ...JOURNAL, '--concurrency', '1'];
  const { ended } = await interrupted(world, options, noted, 'SIGKILL');
  assert.equal(printedBy(await ended).length, 5);
  hold.release();
  world.sandbox.clearSeen();
  const again = ['batch', file, '--resume', join(world.home, 'journal')];
  const second = await world.run(again, stored);
  assert.equal(second.exit, 7, second.stderr);
  assert.deepEqual(
    printedBy(second).map(({ id, status, error }) => [id, status, error?.code]),
    [
      [6, null, 'unreachable'],
      [7, 200, undefined],
      [8, 200, undefined],
    ],
  );
  assert.match(second.stderr, /2 done, 1 failed \(1 unreachable\), 5 done before/);
  assert.deepEqual(pathsSeen(world).sort(), ['GET /item/130', 'POST /item/app/123456/']);
  world.sandbox.clearSeen();
  const third = await world.run([...again, '--retry-unsafe'], stored);
  assert.deepEqual([third.exit, printedBy(third).map(({ id }) => id)], [0, [6]]);
  assert.deepEqual(pathsSeen(world), ['POST /item/app/123456/']);
});

test('what Podio refused is sent again by the next run, what it failed at only where that is safe', async () => {
  await using world = await loggedIn();
  const post = (path: string) => ({ method: 'POST', path, body: {} });
  const file = fileOf(world, ['GET /500', post('/400'), post('/500'), post('/nobody')]);
  world.sandbox.rule({ path: '/500' }, { kind: 'fail', status: 500 });
  world.sandbox.rule({ path: '/400' }, { kind: 'fail', status: 400 });
  const again = ['batch', file, '--resume', join(world.home, 'journal')];
  assert.deepEqual(
    printedBy(await world.run(again, stored)).map(({ status }) => status),
    [500, 400, 500, 404],
  );
  assert.deepEqual(
    printedBy(await world.run(again, stored)).map(({ status }) => status),
    [500, 400, null, 404],
  );
});

test('a journal that is cut in its last line is taken up, time and again', async () => {
  await using world = await loggedIn();
  const file = fileOf(world, calls(6));
  const journal = join(world.home, 'journal');
  const again = ['batch', file, '--resume', journal];
  succeeds(await world.run(again, stored));
  for (const _ of [1, 2]) {
    const text = readFileSync(journal, 'utf8').trimEnd();
    writeFileSync(journal, text.slice(0, -10));
    assert.equal(printedBy(await world.run(again, stored)).length, 1);
  }
  assert.equal(printedBy(await world.run(again, stored)).length, 0);
});

test('another file in place of the journal, and other lines than before, are refused', async () => {
  await using world = await loggedIn();
  const file = fileOf(world, calls(3));
  const journal = join(world.home, 'journal');
  const text = readFileSync(file, 'utf8');
  fails(await world.run(['batch', file, '--resume', file], stored), 2, /not the journal of a batch/);
  assert.equal(readFileSync(file, 'utf8'), text);
  fails(await world.run(['batch', file, '--resume', world.home], stored), 2, /cannot write/);
  assert.equal(world.sandbox.seen.length, 0);
  succeeds(await world.run(['batch', file, '--resume', journal], stored));
  fileOf(world, ['GET /item/130', ...calls(2)]);
  const other = await world.run(['batch', file, '--resume', journal], stored);
  assert.deepEqual([other.exit, printedBy(other).map(({ error }) => error?.exit)], [2, [2, 2, 2]]);
});

test('two runs do not write one journal at the same time', async () => {
  await using world = await loggedIn();
  const file = fileOf(world, calls(3));
  const hold = world.sandbox.hold({ path: '/item/*' });
  const options = ['batch', file, '--resume', join(world.home, 'journal')];
  const first = world.run(options, stored);
  await hold.arrived();
  fails(await world.run(options, stored), 8, /process \d+ holds/);
  hold.release();
  assert.equal((await first).exit, 0);
});

test('a journal holds nothing of calls and answers, and nobody else may read it', async () => {
  await using world = await loggedIn();
  const file = fileOf(world, [{ path: '/item/app/123456/', body: { fields: { title: 'private' } } }]);
  succeeds(await world.run(['batch', file, '--resume', join(world.home, 'journal')], stored));
  const journal = readFileSync(join(world.home, 'journal'), 'utf8');
  assert.equal(statSync(join(world.home, 'journal')).mode & 0o777, 0o600);
  assert.match(journal, /^({"line":1,"state":"(sent|done)","hash":"[0-9a-f]+"}\n)+$/);
});

test('at a 420 without --wait it stops with 6 and the seconds, and the calls in flight are told of', async () => {
  await using world = await loggedIn({ callLimit: 10 });
  const ended = await world.podio(['batch', '-'], { ...stored, stdin: calls(100).join('\n') });
  assert.equal(ended.exit, 6);
  const printed = printedBy(ended);
  assert.equal(printed.filter(({ status }) => status === 200).length, 10);
  assert.ok(
    printed.length <= 14 &&
      printed.slice(10).every(({ status, error }) => status === 420 && error?.exit === 6),
  );
  assert.match(ended.stderr, /podio: You have hit the rate limit.*\nhint: try again in 3600 s/);
  assert.equal(world.sandbox.seen.length, printed.length);
});

test('at a 420 all calls pause together where --wait allows it, and none is lost', async () => {
  await using world = await loggedIn({ callLimit: 20, waitSeconds: 1 });
  const ended = await world.podio(['batch', '-', '--wait', '2', '--concurrency', '8'], {
    ...stored,
    stdin: calls(50).join('\n'),
  });
  assert.equal(ended.exit, 0, ended.stderr);
  assert.deepEqual(
    printedBy(ended).map(({ id, status }) => [id, status]),
    Array.from({ length: 50 }, (_, at) => [at + 1, 200]),
  );
  const refused = world.sandbox.seen.filter(({ status }) => status === 420).length;
  assert.ok(refused >= 2 && refused <= 16, `${refused} refused`);
  assert.match(ended.stderr, /batch: waiting 1 s for the rate limit/);
  const attempts = printedBy(ended).reduce((sum, printed) => sum + printed.attempts, 0);
  assert.equal(attempts, world.sandbox.seen.length);
});

test('a wait that is longer than --wait allows is not begun', async () => {
  await using world = await loggedIn({ callLimit: 5, waitSeconds: 600 });
  const ended = await world.podio(['batch', '-', '--wait', '599'], {
    ...stored,
    stdin: calls(20).join('\n'),
  });
  assert.deepEqual([ended.exit, /waiting/.test(ended.stderr)], [6, false]);
});

test('--min-remaining leaves exactly as many calls as it says, at any concurrency', async () => {
  for (const concurrency of ['1', '16']) {
    await using world = await loggedIn({ callLimit: 40 });
    const argv = ['batch', '-', '--min-remaining', '15', '--concurrency', concurrency];
    const ended = await world.podio(argv, { ...stored, stdin: calls(100).join('\n') });
    assert.equal(ended.exit, 6);
    assert.match(ended.stderr, /podio: 15 calls are left in this hour, and 15 are to stay\nhint: .*--wait/);
    assert.equal(world.sandbox.seen.length, 25);
    // The next one knows it without asking.
    world.sandbox.clearSeen();
    assert.equal((await world.podio(argv, { ...stored, stdin: 'GET /item/123' })).exit, 6);
    assert.equal(world.sandbox.seen.length, 0);
  }
});

test('--min-remaining with --wait goes on when the budget is there again', async () => {
  await using world = await loggedIn({ callLimit: 20, waitSeconds: 2 });
  const argv = ['batch', '-', '--min-remaining', '10', '--wait', '20'];
  const ended = await world.podio(argv, { ...stored, stdin: calls(25).join('\n') });
  assert.equal(ended.exit, 0, ended.stderr);
  assert.equal(printedBy(ended).length, 25);
  assert.ok(world.sandbox.seen.every(({ status }) => status === 200));
});

test('nothing that answers is told for each line, and a POST that was never sent may be sent by the next run', async () => {
  await using world = await loggedIn();
  const file = fileOf(world, [{ path: '/item/app/123456/', body: { fields: { title: 'x' } } }]);
  const PODIO_ACCESS_TOKEN = succeeds(await world.podio(['token'], stored)).trim();
  const argv = ['batch', file, '--resume', join(world.home, 'journal')];
  const nobody = nothingSet({ PODIO_ACCESS_TOKEN, PODIO_API_URL: 'http://127.0.0.1:1' });
  assert.deepEqual((await world.run(argv, nobody)).exit, 7);
  assert.equal((await world.run(argv, nothingSet({ PODIO_ACCESS_TOKEN }))).exit, 0);
});

test('a GET whose answer breaks off is sent again, a POST is not, and each time is counted', async () => {
  await using world = await loggedIn();
  world.sandbox.rule({ path: '/item/123', times: 2 }, { kind: 'cut', at: 'middle' });
  world.sandbox.rule({ path: '/item/124' }, { kind: 'cut' });
  world.sandbox.rule({ method: 'POST' }, { kind: 'cut', at: 'middle' });
  const file = fileOf(world, ['GET /item/123', 'GET /item/124', { path: '/item/app/123456/', body: {} }]);
  const ended = await world.podio(['batch', file, '--concurrency', '1'], stored);
  assert.deepEqual(
    printedBy(ended).map(({ status, attempts }) => [status, attempts]),
    [
      [200, 3],
      [null, 3],
      [null, 1],
    ],
  );
});

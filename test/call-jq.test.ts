import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { outcome } from './support/cli.ts';
import { fails, loggedIn, succeeds } from './support/commands.ts';
import { busyFor } from './support/proc.ts';
import { traced } from './support/strace.ts';

const CALL = ['call', 'GET', '/item/123'];

test('--jq prints a result a line, numbers as they came; -r prints strings without quotes', async () => {
  await using world = await loggedIn();
  const body = '{"id":12345678901234567890,"t":["a\\nb","ü🎉"],"n":null}';
  world.sandbox.rule({ path: '/item/123' }, { kind: 'fail', status: 200, body });
  const jq = async (...options: string[]) => succeeds(await world.podio([...CALL, ...options]));
  assert.equal(await jq('--jq', '.'), `${body}\n`);
  assert.equal(await jq('--jq', '.id, .t[1]'), '12345678901234567890\n"ü🎉"\n');
  assert.equal(await jq('--jq', '.t[]', '-r'), 'a\nb\nü🎉\n');
  assert.equal(await jq('--jq', 'empty'), '');
  assert.equal(await jq('--jq', '.n # a comment'), 'null\n');
});

test('a filter that does not compile sends nothing', async () => {
  await using world = await loggedIn();
  for (const filter of ['.a |', 'foo', '.[', '"', '{']) {
    fails(await world.podio([...CALL, '--jq', filter]), 2, /--jq: /);
  }
  assert.deepEqual(world.sandbox.seen, []);
});

test('a filter that does not fit the answer ends with 1, even if it has printed something before', async () => {
  await using world = await loggedIn();
  const made = await world.podio([...CALL, '--jq', '.item_id, .title.x']);
  fails(made, 1, /does not fit the answer: Cannot index string/, /without --jq/);
  assert.equal(made.stdout, '');
});

test('errors and what is no JSON are never fed to the filter, and standard output stays empty', async () => {
  await using world = await loggedIn();
  const missing = await world.podio(['call', '/item/9', '--jq', '.error']);
  fails(missing, 9, /not_found/);
  world.sandbox.rule({ path: '/page' }, { kind: 'fail', status: 200, body: '<html>' });
  const page = await world.podio(['call', '/page', '--jq', '.']);
  fails(page, 5, /not JSON/);
  assert.deepEqual([missing.stdout, page.stdout], ['', '']);
  assert.equal(succeeds(await world.podio(['call', 'DELETE', '/item/124', '--jq', '.'])), '');
});

test('five megabytes go through the filter, again and again', async () => {
  await using world = await loggedIn();
  const items = Array.from({ length: 500 }, (_, id) => ({ id, text: 'x'.repeat(10_000) }));
  world.sandbox.rule({ path: '/big' }, { kind: 'fail', status: 200, body: JSON.stringify(items) });
  const ids = succeeds(await world.run(['call', '/big', '--jq', '.[].id']));
  assert.equal(ids, items.map(({ id }) => `${id}\n`).join(''));
});

test('a filter that never ends is ended by ^C, one that makes too much by itself', {
  timeout: 120_000,
}, async () => {
  await using world = await loggedIn();
  const endless = world.start([...CALL, '--jq', 'last(repeat(1))']);
  const ended = outcome(endless);
  await busyFor(endless, 2);
  endless.kill('SIGINT');
  assert.deepEqual(await ended, { exit: 130, stdout: '', stderr: '' });
  for (const [filter, why] of [
    ['repeat("x" * 1000000)', /more than 256 MiB/],
    ['def f: 1 + f; f', /too much memory/],
  ] as const) {
    const run = await world.run([...CALL, '--jq', filter]);
    fails(run, 1, why, /without --jq/);
    assert.equal(run.stdout, '');
  }
});

test('a jq of one’s own is not needed, and none is loaded where none is asked for', async () => {
  await using world = await loggedIn();
  const env = { PATH: '/nowhere' };
  assert.equal(succeeds(await world.run([...CALL, '--jq', '.item_id'], { env })), '123\n');
  // The beginning of every WebAssembly program, as base64 writes it.
  const holding = readdirSync('dist/cli').filter((name) =>
    readFileSync(join('dist/cli', name), 'utf8').includes('AGFzbQ'),
  );
  assert.deepEqual(holding, ['jq-worker.cjs']);
  for (const [options, isLoaded] of [[[], false] as const, [['--jq', '.'], true] as const]) {
    const { operations } = await traced(world, [...CALL, ...options], { kinds: 'openat' });
    assert.equal(
      operations.some(({ line }) => line.includes('/jq')),
      isLoaded,
    );
  }
});

test('on a terminal results are pretty and harmless, numbers as they came', async () => {
  await using world = await loggedIn();
  const body = '{"a":[1.0,12345678901234567890],"b":"\\u001b[2J","c":{}}';
  world.sandbox.rule({ path: '/item/123' }, { kind: 'fail', status: 200, body });
  const shown = async (...options: string[]) => {
    const stdout = Object.assign(new PassThrough(), { isTTY: true });
    assert.equal((await world.podio([...CALL, '--color', 'never', ...options], { io: { stdout } })).exit, 0);
    return String(stdout.read());
  };
  const pretty =
    '{\n  "a": [\n    1.0,\n    12345678901234567890\n  ],\n  "b": "\\u001b[2J",\n  "c": {}\n}\n';
  assert.equal(await shown(), pretty);
  assert.equal(await shown('--jq', '.'), pretty);
  assert.equal(await shown('--jq', '.b', '-r'), '\\u001b[2J\n');
});

test('options that cannot go together, or not alone, are named', async () => {
  await using world = await loggedIn();
  const wrong: readonly (readonly [argv: string[], why: RegExp])[] = [
    [['-r'], /--raw goes with --jq/],
    [['--limit', '3'], /--limit goes with --paginate/],
    [['--ndjson'], /--ndjson goes with --paginate/],
    [['--jq', '.', '--silent'], /--silent and --jq/],
    [['-o', 'x', '-O'], /--output and --remote-name/],
    [['--dry-run', '--curl'], /--dry-run and --curl/],
    [['--paginate', '-i'], /--paginate and --include/],
    [['--retry', '-1'], /--retry takes/],
    [['--wait', 'long'], /--wait takes/],
    [['--paginate', '--limit', '0'], /--limit takes/],
  ];
  for (const [argv, why] of wrong) fails(await world.podio([...CALL, ...argv]), 2, why);
  assert.deepEqual(world.sandbox.seen, []);
});

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { BIN, outcome } from './support/cli.ts';
import { loggedIn, shell, succeeds } from './support/commands.ts';
import { opening } from './support/proc.ts';
import { inTime } from './support/promptly.ts';

const BIG = JSON.stringify({ text: 'x'.repeat(3 * 1024 * 1024) });

test('a loop that reads its lines from standard input keeps them', async () => {
  await using world = await loggedIn();
  const script = `printf '123\\n124\\n125\\n' | while read -r id; do
    podio call GET "/item/$id" --silent && podio call PUT "/item/$id" -F 'fields[title]=x' --silent && echo "$id"
  done`;
  assert.equal(succeeds(await shell(world, script)), '123\n124\n125\n');
});

test('a call ends by itself while its standard input stays open', async () => {
  await using world = await loggedIn();
  const child = spawn(process.execPath, [BIN, 'call', 'GET', '/item/123'], { env: world.env() });
  assert.equal(JSON.parse(succeeds(await outcome(child))).item_id, 123);
});

test('three megabytes arrive whole through a pipe that is read late and slowly', async () => {
  await using world = await loggedIn();
  world.sandbox.rule({ path: '/big' }, { kind: 'fail', status: 200, body: BIG });
  const child = world.start(['call', 'GET', '/big']);
  const closed = once(child, 'close');
  await world.sandbox.when({ path: '/big', status: 200 });
  let length = 0;
  for await (const chunk of child.stdout ?? []) {
    length += chunk.length;
    for (let rest = 0; rest < 20; rest++) await turn();
  }
  assert.deepEqual([length, (await closed)[0]], [BIG.length, 0]);
});

test('three megabytes arrive whole in a file, by the shell and by --output', async () => {
  await using world = await loggedIn();
  world.sandbox.rule({ path: '/big' }, { kind: 'fail', status: 200, body: BIG });
  succeeds(await shell(world, 'podio call /big > by-shell; podio call /big -o by-option'));
  for (const name of ['by-shell', 'by-option'])
    assert.ok(readFileSync(join(world.home, name), 'utf8') === BIG);
});

test('a reader that has read enough ends the call quietly', async () => {
  await using world = await loggedIn();
  world.sandbox.rule({ path: '/big' }, { kind: 'fail', status: 200, body: BIG });
  const script = '{ podio call GET /big; echo "exit $?" >&2; } | head -c 10';
  assert.deepEqual(await shell(world, script), { exit: 0, stdout: BIG.slice(0, 10), stderr: 'exit 0\n' });
});

test('a full disk behind standard output is told, and the exit code is not 0', async () => {
  await using world = await loggedIn();
  const { exit, stderr } = await shell(world, 'podio call GET /item/123 > /dev/full');
  assert.equal(exit, 1);
  assert.match(stderr, /^podio: .*ENOSPC.*\nhint: .+\n$/);
});

test('standard output that is closed does not stop a call', async () => {
  await using world = await loggedIn();
  succeeds(await shell(world, 'podio call GET /item/123 >&- 2>&-'));
});

test('two calls in a pipe carry an item from one place to another', async () => {
  await using world = await loggedIn();
  const script = `podio call GET /item/123 | node -e '
    const { title } = JSON.parse(require("node:fs").readFileSync(0));
    console.log(JSON.stringify({ fields: { title } }))' | podio call POST /item/app/123456/ -d @-`;
  assert.match(JSON.parse(succeeds(await shell(world, script))).title, /\S/);
});

test('a signal ends at once what waits for a pipe that nobody writes to', async () => {
  await using world = await loggedIn();
  execFileSync('mkfifo', [join(world.home, 'pipe')]);
  for (const words of [
    ['call', 'POST', '/x', '--input', 'pipe'],
    ['call', 'POST', '/x', '-d', '@pipe'],
    ['batch', 'pipe'],
  ])
    for (const [signal, exit] of [
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ] as const) {
      const child = world.start(words);
      await inTime(opening(child));
      child.kill(signal);
      const [code, by] = await inTime(once(child, 'exit'), 5);
      assert.ok(code === exit || by === signal, `${words}: ${code}, ${by}`);
    }
});

test('a reader that has gone, or a full disk, is told of no stack where jq was at work', async () => {
  await using world = await loggedIn();
  const script = `podio call GET /item/123 --jq 'range(200000)' | head -n 1
    podio call GET /item/123 --jq .title > /dev/full; echo "$?"`;
  const { stdout, stderr } = await shell(world, script);
  assert.equal(stdout, '0\n1\n');
  assert.match(stderr, /^podio: the output could not be written \(ENOSPC\)\nhint: .+\n$/);
});

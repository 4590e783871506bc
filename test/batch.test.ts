import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answering } from './support/answering.ts';
import { calls, fileOf, printedBy } from './support/batches.ts';
import { BIN, outcome } from './support/cli.ts';
import { fails, loggedIn, nothingSet, shell, succeeds } from './support/commands.ts';

const stored = nothingSet();

test('each line is a call, in any of its forms, and each answer a line, in the same order', async () => {
  await using world = await loggedIn();
  const lines = [
    'GET /item/123',
    '/item/124',
    '"GET /item/125"',
    '',
    {
      id: 'mine',
      method: 'put',
      path: '/item/126',
      body: { fields: { title: 'New' } },
      headers: { 'X-Mine': '1' },
    },
    { path: '/item/127', query: { mark_as_viewed: false, fields: 'a b' } },
    { path: '/item/app/123456/filter/', body: { limit: 1 } },
  ];
  const ended = await world.run(['batch', '-'], {
    ...stored,
    stdin: lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\r\n'),
  });
  assert.equal(ended.exit, 0, ended.stderr);
  assert.match(ended.stderr, /^batch: 6 done, \d+\.\d s\n$/);
  const printed = printedBy(ended);
  assert.deepEqual(
    printed.map(({ id, status, attempts }) => [id, status, attempts]),
    [
      [1, 200, 1],
      [2, 200, 1],
      [3, 200, 1],
      ['mine', 200, 1],
      [6, 200, 1],
      [7, 200, 1],
    ],
  );
  assert.deepEqual(
    printed.slice(0, 3).map(({ body }) => (body as { item_id: number }).item_id),
    [123, 124, 125],
  );
  const put = world.sandbox.seen.find(({ method }) => method === 'PUT');
  assert.deepEqual(
    [put?.body, put?.headers['x-mine'], put?.headers['content-type']],
    ['{"fields":{"title":"New"}}', '1', 'application/json'],
  );
  assert.equal(
    world.sandbox.seen.find(({ path }) => path === '/item/127')?.query,
    'mark_as_viewed=0&fields=a+b',
  );
  assert.equal(world.sandbox.seen.find(({ path }) => path.includes('filter'))?.method, 'POST');
});

test('answers come in the order of the lines, though the first is the slowest; --unordered as they finish', async () => {
  await using world = await loggedIn();
  for (const [options, ids] of [
    [[], [1, 2, 3, 4]],
    [['--unordered'], [2, 3, 4, 1]],
  ] as const) {
    world.sandbox.clearSeen();
    const hold = world.sandbox.hold(
      { path: '/item/123' },
      { match: { path: '/item/12*', status: 200 }, count: 3 },
    );
    const ended = await world.podio(['batch', '-', ...options], { ...stored, stdin: calls(4).join('\n') });
    hold.release();
    assert.deepEqual(
      printedBy(ended).map(({ id }) => id),
      ids,
    );
  }
});

test('as many calls are under way at the same time as --concurrency says, and no more; 4 by default', async () => {
  await using world = await loggedIn();
  for (const [options, count] of [
    [[], 4],
    [['--concurrency', '16'], 16],
    [['--concurrency', '1'], 1],
  ] as const) {
    const hold = world.sandbox.hold({ path: '/item/*' });
    const running = world.podio(['batch', '-', ...options], { ...stored, stdin: calls(40).join('\n') });
    await hold.arrived(count);
    // Whoever sent one more would have sent it by the time that another request has come and gone.
    await fetch(`${world.sandbox.url}/sandbox/rules`);
    assert.equal(hold.waiting, count);
    hold.release();
    assert.equal(printedBy(await running).length, 40);
  }
});

test('all calls use a few connections that stay open', async () => {
  await using world = await loggedIn();
  const seen = new Set<unknown>();
  await using counting = await answering((request, response) => {
    seen.add(request.socket);
    response.end('{}');
  });
  const env = { PODIO_API_URL: counting.url, PODIO_ACCESS_TOKEN: 'some-token' };
  succeeds(
    await world.podio(['batch', '-', '--concurrency', '3'], {
      ...nothingSet(env),
      stdin: calls(100).join('\n'),
    }),
  );
  assert.equal(seen.size, 3);
});

test('a body stays as Podio sent it, whatever it is', async () => {
  const answers: Readonly<Record<string, string | Buffer>> = {
    '/long': '{"id":12345678901234567890,"a":1.50}',
    '/lines': '{\r\n  "a": "x\\ny"\n}',
    '/text': 'plain "text"\nin two lines',
    '/empty': '',
    '/bytes': Buffer.from([0xff, 0xfe, 0x00]),
  };
  await using server = await answering((request, response) => response.end(answers[request.url ?? '']));
  await using world = await loggedIn();
  const env = { PODIO_API_URL: server.url, PODIO_ACCESS_TOKEN: 'some-token' };
  const { stdout } = await world.podio(['batch', '-'], {
    ...nothingSet(env),
    stdin: Object.keys(answers).join('\n'),
  });
  const bodies = stdout
    .trimEnd()
    .split('\n')
    .map((line) => /"body":(.*),"ms"/.exec(line)?.[1]);
  assert.deepEqual(bodies, [
    '{"id":12345678901234567890,"a":1.50}',
    '{   "a": "x\\ny" }',
    '"plain \\"text\\"\\nin two lines"',
    'null',
    '"//4A"',
  ]);
});

test('what is wrong with a line is told in its place, nothing is sent for it, and the others go on', async () => {
  await using world = await loggedIn();
  const lines = [
    'FETCH /item/1',
    'GET item/1',
    'GET /item/1 2',
    '{"path":"/item/1"',
    '{}',
    '{"path":"/item/1","methode":"GET"}',
    '{"path":"//evil.example/x"}',
    '{"path":"https://evil.example/item/1"}',
    '{"path":"/x","headers":{"Authorization":"Basic x"}}',
    '{"path":"/x","headers":{"a":"b\\r\\nc: d"}}',
    '{"path":"/x","query":[1]}',
    '{"path":"/x","id":{}}',
    '{"path":"/x","body":{"id":12345678901234567890}}',
    'GET /item/123',
  ];
  const ended = await world.podio(['batch', '-'], { ...stored, stdin: lines.join('\n') });
  assert.equal(ended.exit, 2);
  const printed = printedBy(ended);
  assert.equal(printed.length, lines.length);
  for (const { error, status, attempts, id } of printed.slice(0, -1)) {
    assert.deepEqual([error?.exit, status, attempts], [2, null, 0], String(id));
    assert.match(error?.message ?? '', /\S/);
  }
  assert.deepEqual(
    world.sandbox.seen.map(({ path }) => path),
    ['/item/123'],
  );
  assert.match(ended.stderr, /1 done, 13 failed \(13 usage\)/);
});

const WORST: readonly (readonly [exit: number, paths: string[]])[] = [
  [0, ['/item/123']],
  [9, ['/item/123', '/item/99999']],
  [4, ['/item/99999', '/400', '/item/123']],
  [2, ['/400', 'nonsense', '/item/99999']],
  [5, ['nonsense', '/500', '/400']],
  [7, ['/500', '/cut', '/item/99999']],
];

for (const [exit, paths] of WORST)
  test(`of ${paths.join(', ')} the worst makes the exit code ${exit}`, async () => {
    await using world = await loggedIn();
    world.sandbox.rule({ path: '/400' }, { kind: 'fail', status: 400 });
    world.sandbox.rule({ path: '/500' }, { kind: 'fail', status: 500 });
    world.sandbox.rule({ path: '/cut' }, { kind: 'cut' });
    const ended = await world.podio(['batch', '-'], { ...stored, stdin: paths.join('\n') });
    assert.equal(ended.exit, exit, ended.stderr);
    assert.equal(printedBy(ended).length, paths.length);
  });

test('an error holds its word, its exit code, the message and what Podio sent', async () => {
  await using world = await loggedIn();
  const ended = await world.podio(['batch', '-'], { ...stored, stdin: '/item/99999' });
  const [printed] = printedBy(ended);
  const { code, exit, message, body } = { body: {}, code: '', exit: 0, message: '', ...printed?.error };
  assert.deepEqual([code, exit, message], ['not_found', 9, 'No item with id 99999 could be found']);
  assert.equal(Object.getOwnPropertyDescriptor(body, 'error')?.value, 'not_found');
});

test('a token that ends in the midst is renewed once, and each call that met it sent once more', async () => {
  await using world = await loggedIn();
  const hold = world.sandbox.hold({ path: '/item/*' });
  const stdin = Array.from(
    { length: 60 },
    (_, at) => `{"path":"/item/${123 + at}","method":"PUT","body":{"fields":{"title":"t${at}"}}}`,
  ).join('\n');
  const running = world.podio(['batch', '-', '--concurrency', '16'], { ...stored, stdin });
  await hold.arrived(16);
  world.sandbox.expireAccessTokens();
  hold.release();
  const ended = await running;
  assert.equal(ended.exit, 0, ended.stderr);
  assert.equal(world.sandbox.tokenRequests(), 1);
  const attempts = printedBy(ended).map((printed) => printed.attempts);
  assert.deepEqual(
    [attempts.filter((count) => count === 2).length, attempts.filter((count) => count === 1).length],
    [16, 44],
  );
  assert.deepEqual(world.sandbox.seen.filter(({ status }) => status === 401).length, 16);
});

test('the session is read once for all', async () => {
  await using world = await loggedIn();
  const running = world.podio(['batch', '-', '--concurrency', '1'], {
    ...stored,
    stdin: calls(50).join('\n'),
  });
  await world.sandbox.when({ path: '/item/*' }, 5);
  rmSync(join(world.home, '.local/share/podio/sessions'), { recursive: true });
  assert.equal((await running).exit, 0);
});

test('where no session can be had, it ends at once with that reason', async () => {
  await using world = await loggedIn();
  world.sandbox.endGrants();
  const ended = await world.podio(['batch', '-'], { ...stored, stdin: calls(100).join('\n') });
  assert.equal(ended.exit, 3);
  assert.equal(ended.stdout, '');
  assert.match(
    ended.stderr,
    /^batch: 0 done, .*not_logged_in\npodio: the session of app:123456 has ended\nhint: .*podio login/m,
  );
  assert.ok(world.sandbox.seen.length <= 10);
  succeeds(await world.podio(['logout'], stored));
  fails(await world.podio(['batch', '-'], { ...stored, stdin: 'GET /item/123' }), 3, /not logged in/);
});

test('where the environment names a whole login, it logs in by itself', async () => {
  await using world = await loggedIn();
  succeeds(await world.podio(['logout', '--all'], stored));
  world.sandbox.clearSeen();
  assert.equal(printedBy(await world.podio(['batch', '-'], { stdin: calls(20).join('\n') })).length, 20);
  assert.equal(world.sandbox.tokenRequests(), 1);
});

test('--fail-fast sends nothing more after the first failure', async () => {
  await using world = await loggedIn();
  const stdin = ['/item/123', '/item/99999', ...calls(100)].join('\n');
  const ended = await world.podio(['batch', '-', '--fail-fast', '--concurrency', '1'], { ...stored, stdin });
  assert.equal(ended.exit, 9);
  assert.deepEqual(
    printedBy(ended).map(({ status }) => status),
    [200, 404],
  );
  assert.equal(world.sandbox.seen.length, 2);
  assert.match(ended.stderr, /^batch: 1 done, 1 failed \(1 not_found\), .*first_failure\n$/);
});

test('--summary puts what became of it in a file', async () => {
  await using world = await loggedIn();
  const stdin = ['/item/123', '/item/99999', 'nonsense'].join('\n');
  const place = join(world.home, 'summary.json');
  const ended = await world.podio(['batch', '-', '--summary', place], { ...stored, stdin });
  const { seconds, ...summary } = JSON.parse(readFileSync(place, 'utf8'));
  assert.equal(typeof seconds, 'number');
  assert.deepEqual(summary, {
    done: 1,
    failed: 2,
    skipped: 0,
    failures: { not_found: 1, usage: 1 },
    unanswered: [],
    stopped: null,
    rate_limit: { limit: 1000, remaining: 998 },
    exit: 2,
  });
  assert.equal(ended.exit, 2);
});

test('input that cannot be read sends nothing', async () => {
  await using world = await loggedIn();
  fails(await world.podio(['batch'], stored), 2, /none was named/, /podio batch FILE/);
  fails(await world.podio(['batch', 'no-such-file'], stored), 2, /cannot read no-such-file \(ENOENT\)/);
  for (const option of [
    '--concurrency=0',
    '--concurrency=x',
    '--wait=-1',
    '--min-remaining=1.5',
    '--timeout=0',
  ])
    fails(await world.podio(['batch', '-', option], { ...stored, stdin: 'GET /item/123' }), 2, /takes /);
  assert.equal(world.sandbox.seen.length, 0);
});

test('nothing to do is done at once', async () => {
  await using world = await loggedIn();
  const ended = await world.podio(['batch', '-'], { ...stored, stdin: '\n\n' });
  assert.deepEqual([ended.exit, ended.stdout], [0, '']);
});

test('a file is read without standard input, and a loop keeps its own', async () => {
  await using world = await loggedIn();
  fileOf(world, calls(2));
  const script = `printf 'a\\nb\\n' | while read -r x; do podio batch calls | wc -l; done`;
  const lines = succeeds(await shell(world, script))
    .trim()
    .split(/\s+/);
  assert.deepEqual(lines, ['2', '2']);
});

test('a line that comes late is sent when it comes', async () => {
  await using world = await loggedIn();
  const child = spawn(process.execPath, [BIN, 'batch', '-'], { env: world.env(stored.env) });
  const ended = outcome(child);
  for (const id of [123, 124]) {
    child.stdin.write(`GET /item/${id}\n`);
    await world.sandbox.when({ path: `/item/${id}`, status: 200 });
  }
  child.stdin.end();
  assert.equal(printedBy(await ended).length, 2);
});

test('a reader that has read enough ends it quietly, and little more is sent', async () => {
  await using world = await loggedIn({ callLimit: 1_000_000 });
  fileOf(world, calls(5000));
  const script = '{ podio batch calls; echo "exit $?" >&2; } | head -n 1';
  const { exit, stdout, stderr } = await shell(world, script);
  assert.deepEqual([exit, printedBy({ stdout }).length, stderr], [0, 1, 'exit 0\n']);
  assert.ok(world.sandbox.seen.length < 4000, String(world.sandbox.seen.length));
});

test('a reader that has gone ends it though further lines may still come', async () => {
  await using world = await loggedIn();
  const hold = world.sandbox.hold({ path: '/item/124' });
  const child = spawn(process.execPath, [BIN, 'batch', '-'], { env: world.env(stored.env) });
  child.stdin.on('error', () => {}).write('GET /item/123\nGET /item/124\n');
  await once(child.stdout, 'data');
  child.stdout.destroy();
  hold.release();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('--fail-fast, and a rate limit that is not waited for, end it though further lines may still come', async () => {
  for (const [path, exit] of [
    ['/item/99999', 9],
    ['/limited', 6],
  ] as const) {
    await using world = await loggedIn();
    world.sandbox.rule({ path: '/limited' }, { kind: 'fail', status: 420 });
    const child = spawn(process.execPath, [BIN, 'batch', '-', '--fail-fast'], { env: world.env(stored.env) });
    child.stdin.on('error', () => {}).write(`GET ${path}\n`);
    assert.equal((await outcome(child)).exit, exit);
  }
});

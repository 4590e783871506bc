import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { SeenRequest } from '../src/sandbox/sandbox.ts';
import type { RunOptions, World } from './support/cli.ts';
import { fails, loggedIn, succeeds } from './support/commands.ts';

/** What the sandbox saw of one call, whatever it answered. */
async function sent(world: World, argv: readonly string[], options?: RunOptions): Promise<SeenRequest> {
  world.sandbox.clearSeen();
  await world.podio(['call', ...argv], options);
  const [request, ...more] = world.sandbox.seen;
  assert.ok(request !== undefined && more.length === 0, `${argv} → ${world.sandbox.seen.length} requests`);
  return request;
}

test('the method is GET, POST where there is a body, or the one that is named in any case', async () => {
  await using world = await loggedIn();
  const path = '/item/app/123456/filter/';
  const methods: readonly (readonly [argv: string[], method: string])[] = [
    [[path], 'GET'],
    [[path, '-d', '{}'], 'POST'],
    [[path, '-f', 'a=b'], 'POST'],
    [[path, '-F', 'a=1'], 'POST'],
    [['GET', path, '-f', 'a=b'], 'GET'],
    [['put', path, '-d', '{}'], 'PUT'],
    [['Delete', path], 'DELETE'],
    [['HEAD', path], 'HEAD'],
  ];
  for (const [argv, method] of methods) assert.equal((await sent(world, argv)).method, method);
});

test('a word that is no method, and a word too many, are refused', async () => {
  await using world = await loggedIn();
  fails(await world.podio(['call', 'FETCH', '/item/123']), 2, /"FETCH" is no method/, /GET, HEAD, POST/);
  fails(await world.podio(['call', '/item/123', 'GET']), 2, /no method/);
  fails(await world.podio(['call', 'GET', '/item/123', '/item/124']), 2, /nothing more/);
  fails(await world.podio(['call']), 2, /missing/);
  assert.deepEqual(world.sandbox.seen, []);
});

test('every request says whose token it bears and who sends it', async () => {
  await using world = await loggedIn();
  const token = succeeds(await world.podio(['token'])).trim();
  const { headers } = await sent(world, ['/item/123']);
  assert.equal(headers.authorization, `OAuth2 ${token}`);
  assert.match(headers['user-agent'] ?? '', /^podio-cli\/\d+\.\d+\.\d+ \(node v/);
  assert.equal(headers.accept, 'application/json');
  assert.equal(headers['content-type'], undefined);
});

test('a body is sent as it was written, byte for byte, with its length and type', async () => {
  await using world = await loggedIn();
  const body = '{ "title" : "Grüße 🎉",\n "n":1.0, "big": 12345678901234567890 }';
  const file = join(world.home, 'body.json');
  writeFileSync(file, body);
  for (const [data, stdin] of [[body], [`@${file}`], ['@-', body]] as const) {
    const request = await sent(world, ['/x', '-d', data], stdin === undefined ? {} : { stdin });
    assert.equal(request.body, body);
    assert.equal(request.headers['content-length'], String(Buffer.byteLength(body)));
    assert.equal(request.headers['content-type'], 'application/json');
  }
});

test('a POST and a PUT without a body say so', async () => {
  await using world = await loggedIn();
  for (const method of ['POST', 'PUT']) {
    const { body, headers } = await sent(world, [method, '/x']);
    assert.deepEqual([body, headers['content-length'], headers['content-type']], ['', '0', undefined]);
  }
});

test('fields make the object that they name', async () => {
  await using world = await loggedIn();
  const file = join(world.home, 'text');
  writeFileSync(file, 'from a file\n');
  const raw = ['s=true', 'empty=', 'eq=a=b', 'tags[]=x', 'tags[]=y', 'o[p][q]=deep'];
  const typed = [
    't=true',
    'n=null',
    'i=-12',
    'f=1.5e3',
    'a=[1,"2"]',
    'o[r]={"s":false}',
    `file=@${file}`,
    'in=@-',
  ];
  const argv = [...raw.flatMap((field) => ['-f', field]), ...typed.flatMap((field) => ['-F', field])];
  const { body } = await sent(world, ['/x', ...argv], { stdin: 'from stdin' });
  assert.deepEqual(JSON.parse(body), {
    s: 'true',
    empty: '',
    eq: 'a=b',
    tags: ['x', 'y'],
    o: { p: { q: 'deep' }, r: { s: false } },
    t: true,
    n: null,
    i: -12,
    f: 1500,
    a: [1, '2'],
    file: 'from a file\n',
    in: 'from stdin',
  });
});

test('with GET, HEAD and DELETE fields go to the query, booleans as Podio wants them', async () => {
  await using world = await loggedIn();
  const fields = ['-f', 'q=a&b=c ü', '-F', 'silent=true', '-F', 'hook=false', '-F', 'limit=5'];
  for (const method of ['GET', 'HEAD', 'DELETE']) {
    const { query, body } = await sent(world, [method, '/item/123', ...fields]);
    assert.deepEqual(
      [...new URLSearchParams(query)],
      [
        ['q', 'a&b=c ü'],
        ['silent', '1'],
        ['hook', '0'],
        ['limit', '5'],
      ],
    );
    assert.equal(body, '');
  }
  assert.equal((await sent(world, ['GET', '/x?a=1', '-f', 'b=2'])).query, 'a=1&b=2');
});

test('fields that contradict each other, or are none, are refused before anything is sent', async () => {
  await using world = await loggedIn();
  const wrong = [
    ['-f', 'a=1', '-f', 'a=2'],
    ['-f', 'a=1', '-f', 'a[]=2'],
    ['-f', 'a=1', '-f', 'a[b]=2'],
    ['-f', 'a[]=1', '-f', 'a[b]=2'],
    ['-f', 'noequals'],
    ['-f', '=value'],
    ['-F', 'a[=1'],
    ['-F', 'a={"broken"'],
    ['-F', 'n=123456789012345678901'],
    ['-F', 'n=1e999'],
    ['-F', 'a=@/no/such/file'],
    ['-d', '{"a":1'],
    ['-d', ''],
    ['-d', '@/no/such/file'],
    ['-d', '{}', '-f', 'a=1'],
  ];
  for (const options of wrong) {
    const { exit, stderr } = await world.podio(['call', 'POST', '/x', ...options]);
    assert.equal(exit, 2, `${options} → ${stderr}`);
    assert.match(stderr, /^podio: .+\nhint: .+\n$/);
  }
  assert.deepEqual(world.sandbox.seen, []);
});

test('standard input that two options want is given to neither', async () => {
  await using world = await loggedIn();
  const twice = await world.podio(['call', '/x', '-F', 'a=@-', '-F', 'b=@-'], { stdin: 'once' });
  fails(twice, 2, /standard input/);
  assert.deepEqual(world.sandbox.seen, []);
});

test('headers are added, and replace those that podio would send by itself', async () => {
  await using world = await loggedIn();
  const own = [
    '-H',
    'X-Podio-Dry-Run: true',
    '-H',
    'Accept:text/plain',
    '-H',
    'content-type: text/plain; a=b',
  ];
  const { headers } = await sent(world, ['/x', '-d', '1', ...own]);
  assert.deepEqual(
    [headers['x-podio-dry-run'], headers.accept, headers['content-type']],
    ['true', 'text/plain', 'text/plain; a=b'],
  );
});

test('headers that would smuggle, or that are podio’s own, are refused', async () => {
  await using world = await loggedIn();
  const wrong = ['X: a\r\nY: b', 'X: a\nY: b', 'X', ': a', 'X Y: a', 'X\r: a', 'X: \0', 'X: 🎉', 'X : a'];
  const ours = [
    'Authorization: OAuth2 x',
    'HOST: evil.example',
    'Content-Length: 0',
    'Transfer-Encoding: chunked',
  ];
  for (const header of wrong) fails(await world.podio(['call', '/x', '-H', header]), 2, /--header/);
  for (const header of ours) fails(await world.podio(['call', '/x', '-H', header]), 2, /podio's own/);
  assert.deepEqual(world.sandbox.seen, []);
});

test('standard input is left alone unless an option names it', async () => {
  await using world = await loggedIn();
  const stdin = new Readable({
    read() {
      this.destroy(new Error('somebody read standard input'));
    },
  });
  succeeds(await world.podio(['call', 'GET', '/item/123'], { io: { stdin } }));
  succeeds(await world.podio(['call', 'PUT', '/item/123', '-F', 'fields[title]=x'], { io: { stdin } }));
  assert.equal(stdin.destroyed, false);
});

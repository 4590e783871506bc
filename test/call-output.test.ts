import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { answering } from './support/answering.ts';
import { fails, loggedIn, nothingSet, shell, succeeds } from './support/commands.ts';

const CALL = ['call', 'GET', '/item/123'];

test('standard output gets the body exactly as it came, and standard error nothing', async () => {
  await using world = await loggedIn();
  const body = ' {"b":1.0,\r\n"a":12345678901234567890, "t":"\\u001b[31m ü🎉"}\n\n';
  world.sandbox.rule({ path: '/item/123' }, { kind: 'fail', status: 200, body });
  assert.deepEqual(await world.podio(CALL), { exit: 0, stdout: body, stderr: '' });
});

test('an answer without a body prints nothing', async () => {
  await using world = await loggedIn();
  const none = { exit: 0, stdout: '', stderr: '' };
  assert.deepEqual(await world.podio(['call', 'DELETE', '/item/124']), none);
  const file = join(world.home, 'out');
  assert.deepEqual(await world.podio(['call', 'DELETE', '/item/125', '-o', file]), none);
});

test('--include prints status and headers before the body', async () => {
  await using world = await loggedIn();
  const stdout = succeeds(await world.podio([...CALL, '--include']));
  const [head = '', body = ''] = stdout.split('\r\n\r\n');
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(head, /\r\nx-podio-request-id: [0-9a-f]+/i);
  assert.equal(JSON.parse(body).item_id, 123);
  const missing = await world.podio(['call', 'GET', '/item/9', '-i']);
  assert.match(missing.stdout, /^HTTP\/1\.1 404 Not Found\r\n(.+\r\n)+\r\n\{"error_parameters"/);
});

test('--silent leaves the body out, of errors too', async () => {
  await using world = await loggedIn();
  assert.equal(succeeds(await world.podio([...CALL, '--silent'])), '');
  const missing = await world.podio(['call', 'GET', '/item/9', '--silent']);
  fails(missing, 9, /not_found/);
  assert.equal(missing.stdout, '');
});

test('--silent hears of an answer that breaks off', async () => {
  await using world = await loggedIn();
  world.sandbox.rule({ path: '/item/123' }, { kind: 'cut', at: 'middle' });
  fails(await world.run([...CALL, '--silent']), 7, /cut/);
});

test('--output puts the body in a file and nothing on standard output', async () => {
  await using world = await loggedIn();
  const body = succeeds(await world.podio(CALL));
  const file = join(world.home, 'item.json');
  assert.equal(succeeds(await world.podio([...CALL, '-o', file])), '');
  assert.equal(readFileSync(file, 'utf8'), body);
});

test('--output replaces a file only with --clobber, and never writes through a symbolic link', async () => {
  await using world = await loggedIn();
  const file = join(world.home, 'old');
  const link = join(world.home, 'link');
  writeFileSync(file, 'old');
  symlinkSync(file, link);
  fails(await world.podio([...CALL, '-o', file]), 2, /exists/, /--clobber/);
  fails(await world.podio([...CALL, '-o', link]), 2, /symbolic link/);
  fails(await world.podio([...CALL, '-o', link, '--clobber']), 2, /symbolic link/);
  assert.deepEqual([readFileSync(file, 'utf8'), world.sandbox.seen], ['old', []]);
  succeeds(await world.podio([...CALL, '-o', file, '--clobber']));
  assert.equal(JSON.parse(readFileSync(file, 'utf8')).item_id, 123);
});

test('--output that cannot be written is refused before anything is sent', async () => {
  await using world = await loggedIn();
  mkdirSync(join(world.home, 'folder'));
  writeFileSync(join(world.home, 'file'), '');
  for (const name of ['no/such/folder/x', 'folder', 'folder/', 'file/x']) {
    fails(await world.podio([...CALL, '-o', join(world.home, name)]), 2, /--output/);
  }
  // As of a variable that is not set.
  fails(await world.podio([...CALL, '-o', '']), 2, /--output: "" is a folder/);
  assert.deepEqual(world.sandbox.seen, []);
});

test('an answer that breaks off, and one that is an error, leave no file', async () => {
  await using world = await loggedIn();
  const folder = join(world.home, 'out');
  mkdirSync(folder);
  const file = join(folder, 'item');
  fails(await world.podio(['call', '/item/9', '-o', file]), 9, /not_found/);
  world.sandbox.rule({ path: '/item/123' }, { kind: 'cut', at: 'middle' });
  fails(await world.podio([...CALL, '-o', file]), 7, /cut/);
  assert.deepEqual(readdirSync(folder), []);
  writeFileSync(file, 'old');
  fails(await world.podio([...CALL, '-o', file, '--clobber']), 7, /cut/);
  assert.deepEqual([readdirSync(folder), readFileSync(file, 'utf8')], [['item'], 'old']);
});

test('with --output, standard output stays empty at an error', async () => {
  await using world = await loggedIn();
  const file = join(world.home, 'x');
  for (const more of [[], ['-i']]) {
    const missing = await world.podio(['call', '/item/9', '-o', file, ...more]);
    fails(missing, 9, /not_found/);
    assert.equal(missing.stdout, '');
  }
  assert.equal(existsSync(file), false);
});

test('an answer that was compressed on its way is printed as it was meant', async () => {
  await using world = await loggedIn();
  const body = JSON.stringify({ text: 'Grüße '.repeat(1000) });
  const packed: Readonly<Record<string, Buffer>> = { gzip: gzipSync(body), br: brotliCompressSync(body) };
  await using server = await answering(({ url = '' }, response) => {
    const encoding = url.slice(1);
    response.writeHead(200, { 'content-encoding': encoding }).end(packed[encoding]);
  });
  const options = nothingSet({ PODIO_API_URL: server.url, PODIO_ACCESS_TOKEN: 'x' });
  for (const path of ['/gzip', '/br']) {
    assert.equal(succeeds(await world.podio(['call', path], options)), body);
  }
});

test('an answer that says it is compressed and is not, or only half of it, is a failure of the API', async () => {
  await using world = await loggedIn();
  await using server = await answering(({ url }, response) => {
    const body = url === '/none' ? Buffer.from('{"a":1}') : gzipSync('{"a":1}').subarray(0, 20);
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(body);
  });
  const options = nothingSet({ PODIO_API_URL: server.url, PODIO_ACCESS_TOKEN: 'x' });
  fails(await world.podio(['call', '/none'], options), 5, /could not be read/);
  fails(await world.podio(['call', '/half'], options), 5, /could not be read/);
});

test('an answer that says it is compressed and has no body is an answer without a body', async () => {
  await using world = await loggedIn();
  await using server = await answering(({ url, method }, response) => {
    const status = url === '/204' ? 204 : 200;
    const length = { 'content-length': method === 'HEAD' ? 500 : 0 };
    const encoding = url === '/br' ? 'br' : 'gzip';
    response.writeHead(status, { 'content-encoding': encoding, ...(status === 200 && length) }).end();
  });
  const options = nothingSet({ PODIO_API_URL: server.url, PODIO_ACCESS_TOKEN: 'x' });
  for (const words of ['HEAD /x', 'HEAD /br', 'GET /204', 'GET /none', 'GET /br']) {
    const done = await world.podio(['call', ...words.split(' ')], options);
    assert.deepEqual(done, { exit: 0, stdout: '', stderr: '' }, words);
  }
});

test('bytes that are no text are printed and kept as they came', async () => {
  await using world = await loggedIn();
  const bytes = Buffer.from(Array.from({ length: 4096 }, (_, at) => (at * 7) % 256));
  await using server = await answering((_, response) => response.end(bytes));
  const env = world.env({ PODIO_API_URL: server.url, PODIO_ACCESS_TOKEN: 'x' });
  const script = 'podio call /x > printed; podio call /x -o kept; podio call /x -o - > dashed';
  succeeds(await shell(world, script, env));
  for (const name of ['printed', 'kept', 'dashed'])
    assert.ok(readFileSync(join(world.home, name)).equals(bytes), name);
});

test('on a terminal JSON is pretty, coloured where wanted, and cannot steer the terminal', async () => {
  await using world = await loggedIn();
  const body = '{"a":["\\u001b]0;x\\u0007",1],"b":null}';
  world.sandbox.rule({ path: '/item/123' }, { kind: 'fail', status: 200, body });
  const shown = async (...options: string[]) => {
    const stdout = Object.assign(new PassThrough(), { isTTY: true });
    const { exit } = await world.podio([...CALL, ...options], { io: { stdout } });
    assert.equal(exit, 0);
    return String(stdout.read());
  };
  const plain = '{\n  "a": [\n    "\\u001b]0;x\\u0007",\n    1\n  ],\n  "b": null\n}\n';
  assert.equal(await shown('--color', 'never'), plain);
  const coloured = await shown();
  assert.equal(stripVTControlCharacters(coloured), plain);
  assert.notEqual(coloured, plain);
});

test('on a terminal what is no JSON keeps its lines and loses its control characters', async () => {
  await using world = await loggedIn();
  world.sandbox.rule({ path: '/x' }, { kind: 'fail', status: 200, body: 'a\tb\n\u001b[2Jc\u202e\r' });
  const stdout = Object.assign(new PassThrough(), { isTTY: true });
  await world.podio(['call', '/x'], { io: { stdout } });
  assert.equal(String(stdout.read()), 'a\tb\n\\u001b[2Jc\\u202e\\r\n');
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answering } from './support/answering.ts';
import { BIN, outcome } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds } from './support/commands.ts';
import { promptly } from './support/promptly.ts';
import { RawServer } from './support/raw-server.ts';

const PHOTO = Buffer.from(Array.from({ length: 70_000 }, (_, at) => at % 251));

test('--form @FILE uploads a file as Podio wants it: source, filename and type', async () => {
  await using world = await loggedIn();
  const file = join(world.home, 'my photo.jpg');
  writeFileSync(file, PHOTO);
  for (const part of [`@${file}`, `source=@${file}`]) {
    const { file_id, name, mimetype, size } = JSON.parse(
      succeeds(await world.podio(['call', 'POST', '/file/', '--form', part])),
    );
    assert.deepEqual([name, mimetype, size], ['my photo.jpg', 'image/jpeg', PHOTO.length]);
    const back = join(world.home, `back-${file_id}`);
    succeeds(await world.podio(['call', `/file/${file_id}/raw`, '-o', back]));
    assert.ok(readFileSync(back).equals(PHOTO));
  }
});

test('--form takes a type, a name and text of one’s own, and standard input', async () => {
  await using world = await loggedIn();
  const parts = ['source=@-;type=text/x-mine', 'filename=my report'].flatMap((part) => ['--form', part]);
  const argv = ['call', '/file/', ...parts];
  const { name, mimetype, size } = JSON.parse(succeeds(await world.podio(argv, { stdin: 'Grüße' })));
  assert.deepEqual([name, mimetype, size], ['my report', 'text/x-mine', 7]);
  assert.match(world.sandbox.seen[0]?.headers['content-length'] ?? '', /^\d+$/);
});

test('--input sends bytes as they are, from a file, a pipe or standard input, with their length', async () => {
  await using world = await loggedIn();
  const file = join(world.home, 'body');
  writeFileSync(file, PHOTO);
  const got: (readonly [string | undefined, Buffer])[] = [];
  await using server = await answering(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    got.push([request.headers['content-length'], Buffer.concat(chunks)]);
    response.end('{}');
  });
  const env = world.env({ PODIO_API_URL: server.url, PODIO_ACCESS_TOKEN: 'x' });
  const words = `"${process.execPath}" "${BIN}" call POST /x -H 'Content-Type: application/octet-stream' --input`;
  const script = `${words} body; ${words} - < body; cat body | ${words} -; ${words} <(cat body)`;
  succeeds(await outcome(spawn('bash', ['-ec', script], { env, cwd: world.home })));
  assert.equal(got.length, 4);
  for (const [length, body] of got) {
    assert.deepEqual([length, body.equals(PHOTO)], [String(PHOTO.length), true]);
  }
});

test('a streamed body is sent whole once more after a 401, wherever it came from', async () => {
  await using world = await loggedIn();
  writeFileSync(join(world.home, 'photo.jpg'), PHOTO);
  const file = `@${join(world.home, 'photo.jpg')}`;
  for (const [argv, stdin] of [
    [['--form', file], ''],
    [['--form', 'source=@-', '--form', 'filename=x'], PHOTO.toString('latin1')],
  ] as const) {
    world.sandbox.expireAccessTokens();
    world.sandbox.clearSeen();
    const sent = await world.podio(['call', 'POST', '/file/', ...argv], { ...nothingSet(), stdin });
    assert.ok(JSON.parse(succeeds(sent)).size >= PHOTO.length);
    assert.deepEqual(
      world.sandbox.seen.map(({ path, status }) => [path, status]),
      [
        ['/file/', 401],
        ['/oauth/token', 200],
        ['/file/', 200],
      ],
    );
  }
});

test('a server that answers before it has heard the whole body is believed', async () => {
  await using world = await loggedIn();
  const file = join(world.home, 'big');
  writeFileSync(file, Buffer.alloc(8_000_000));
  await using server = await answering((_, response) => {
    response.writeHead(403).end('{"error":"forbidden","error_description":"not you"}');
  });
  const env = { PODIO_API_URL: server.url, PODIO_ACCESS_TOKEN: 'x' };
  fails(await world.run(['call', 'POST', '/x', '--input', file], { env }), 4, /not you \(HTTP 403/);
});

test('a server that answers early and reads no further is not waited for', async () => {
  await using world = await loggedIn();
  const file = join(world.home, 'big');
  writeFileSync(file, Buffer.alloc(32_000_000));
  const body = '{"error":"forbidden","error_description":"not you"}';
  await using server = await RawServer.start((socket) => {
    socket.pause().write(`HTTP/1.1 403 No\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  });
  const env = { PODIO_API_URL: server.url, PODIO_ACCESS_TOKEN: 'x' };
  const refused = await promptly(world, ['call', 'POST', '/x', '--input', file], { env, seconds: 40 });
  fails(refused, 4, /not you \(HTTP 403/);
});

test('two options that each make the body are refused by their names, and nothing is sent', async () => {
  await using world = await loggedIn();
  const wrong: readonly (readonly [argv: string[], why: RegExp])[] = [
    [['-d', '{}', '-f', 'title=x'], /--data and --raw-field title cannot go together/],
    [['-d', '{}', '-F', 'n=1'], /--data and --field n /],
    [['-d', '{}', '--input', '-'], /--data and --input /],
    [['--form', 'a=b', '-f', 'c=d'], /--form a and --raw-field c /],
    [['--form', 'a'], /--form takes/],
    [['--form', 'a=@/no/such/file'], /--form a: cannot read \/no\/such\/file \(ENOENT\)/],
    [['--form', 'a=b', '-H', 'Content-Type: x/y'], /Content-Type/],
    [['--input', '/no/such/file'], /--input: cannot read/],
    [['--input', '/'], /--input: cannot read/],
  ];
  for (const [argv, why] of wrong) fails(await world.podio(['call', 'POST', '/x', ...argv]), 2, why);
  assert.deepEqual(world.sandbox.seen, []);
});

test('-q adds to the query, whatever the method, before the fields of a GET', async () => {
  await using world = await loggedIn();
  await world.podio(['call', 'POST', '/x?a=1', '-q', 'b=2 ü', '-q', 'b=&', '-f', 'c=3']);
  await world.podio(['call', 'GET', '/x', '-q', 'a=1', '-F', 'b=true']);
  const [post, get] = world.sandbox.seen;
  assert.deepEqual([post?.query, post?.body], ['a=1&b=2+%C3%BC&b=%26', '{"c":"3"}']);
  assert.equal(get?.query, 'a=1&b=1');
});

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answering } from './support/answering.ts';
import { World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, shell, succeeds } from './support/commands.ts';

test('--dry-run prints the request without its token, sends nothing and does not log in', async () => {
  await using world = await World.create();
  const argv = ['call', 'PUT', '/item/1?oauth_token=abc', '-F', 'a=1', '-H', 'X-Secret: s', '--dry-run'];
  const { stdout } = await world.podio(argv);
  const [head = '', body] = stdout.split('\n\n');
  assert.match(head, /^PUT http:\/\/127\.0\.0\.1:\d+\/item\/1\?oauth_token=\*\*\*\n/);
  assert.match(head, /^authorization: OAuth2 \*\*\*$/m);
  assert.match(head, /^x-secret: \*\*\*$/m);
  assert.match(head, /^content-length: 7$/m);
  assert.equal(body, '{"a":1}\n');
  assert.deepEqual(world.sandbox.seen, []);
});

test('what --curl prints makes curl send the same, with the token nowhere in it', async () => {
  await using world = await loggedIn();
  writeFileSync(join(world.home, "it's.json"), '{"fields":{"title":"from a file"}}');
  const calls = [
    `GET '/item/123?a=%5B1%5D&b=[x]' -q 'c=$HOME "q"'`,
    `POST /item/app/123456/ -F "fields[title]=it's \\$5"`,
    `PUT /item/123 -d "@it's.json"`,
    `PUT /item/123 --input "it's.json"`,
    'DELETE /item/124',
    'POST /item/app/123456/filter/',
    `POST /file/ --form "@it's.json"`,
    'HEAD /item/123',
  ];
  const what = () =>
    world.sandbox.seen.map(({ method, path, query, body, headers }) => ({
      ...{ method, path, query, type: headers['content-type']?.split(';')[0], accept: headers.accept },
      ...{ length: headers['content-type']?.startsWith('multi') ? '' : headers['content-length'] },
      body: body.startsWith('--') ? body.match(/name="[^"]*"|from a file/g) : body,
      token: headers.authorization,
    }));
  for (const call of calls) {
    world.sandbox.clearSeen();
    await shell(world, `podio call ${call}`);
    const [ours] = what();
    world.sandbox.clearSeen();
    const line = succeeds(await shell(world, `podio call ${call} --curl`));
    assert.deepEqual(world.sandbox.seen, []);
    await shell(world, line);
    assert.deepEqual(what(), [ours], line);
  }
});

test('a line of --curl for standard input hands it on to curl', async () => {
  await using world = await loggedIn();
  const script = `line=$(podio call PUT /item/123 --input - --curl < /dev/null)
    printf '{"fields":{"title":"piped"}}' | eval "$line"`;
  assert.match(succeeds(await shell(world, script)), /"title":"piped"/);
});

test('-O names the file as the answer does, else as the path, and never elsewhere', async () => {
  await using world = await loggedIn();
  const names: readonly (readonly [disposition: string, file: string])[] = [
    ['attachment; filename="a b.txt"', 'a b.txt'],
    ["attachment; filename=x; filename*=UTF-8''%C3%BC%2Fber.txt", 'ber.txt'],
    ['attachment; filename="../../etc/passwd"', 'passwd'],
    ['attachment; filename="..\\\\..\\\\evil.exe"', 'evil.exe'],
    ['attachment; filename=".bashrc"', 'bashrc'],
    ['inline', 'raw'],
  ];
  let disposition = '';
  await using server = await answering((_, response) => {
    response.writeHead(200, { 'content-disposition': disposition }).end('content');
  });
  const env = world.env({ PODIO_API_URL: server.url, PODIO_ACCESS_TOKEN: 'x' });
  for (const [given, file] of names) {
    disposition = given;
    succeeds(await shell(world, 'podio call /file/1/raw -O', env));
    assert.equal(readFileSync(join(world.home, file), 'utf8'), 'content', given);
  }
  fails(await shell(world, 'podio call /file/1/raw -O', env), 1, /raw exists/, /--clobber/);
  succeeds(await shell(world, 'podio call /file/1/raw -O --clobber', env));
  disposition = 'attachment; filename=".."';
  fails(await shell(world, 'podio call /file/1/raw -O', env), 1, /no name/, /-o FILE/);
});

test('a file that cannot be written to its end is told as what it is: the call was made', async () => {
  await using world = await loggedIn();
  const full = await world.run(['call', '/item/123', '-o', '/dev/full']);
  fails(full, 1, /could not write \/dev\/full \(ENOSPC\)/, /the call was made/);
  assert.equal(existsSync('/dev/full'), true);
});

test('--silent ends, though the answer does not', async () => {
  await using world = await loggedIn();
  await using server = await answering(({ url }, response) => {
    response.on('error', () => {}).write('x');
    const piece = Buffer.alloc(url === '/flood' ? 1_000_000 : 1);
    const drip = setInterval(() => response.write(piece), url === '/flood' ? 1 : 50);
    response.once('close', () => clearInterval(drip));
  });
  const options = nothingSet({ PODIO_API_URL: server.url, PODIO_ACCESS_TOKEN: 'x' });
  succeeds(await world.podio(['call', '/flood', '--silent'], options));
  fails(
    await world.podio(['call', '/drip', '--silent', '--timeout', '1'], options),
    7,
    /did not end within 1 s/,
  );
});

test('a path that Git Bash has mangled is recognised, and mended in the hint', async () => {
  await using world = await loggedIn();
  for (const root of ['C:/Program Files/Git', 'D:\\Git', 'C:/msys64', 'c:']) {
    const call = await world.podio(['call', `${root}/item/1`]);
    fails(call, 2, /Git Bash/, /MSYS_NO_PATHCONV=1 podio call \/item\/1$/);
  }
  assert.deepEqual(world.sandbox.seen, []);
});

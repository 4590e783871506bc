import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Action, startSandbox } from '../src/sandbox/sandbox.ts';
import { fails, loggedIn, succeeds } from './support/commands.ts';

const CALL = ['call', 'GET', '/item/123'];

test("an error is Podio's own body on standard output, and one line and a hint on standard error", async () => {
  await using world = await loggedIn();
  const { exit, stdout, stderr } = await world.podio(['call', 'GET', '/item/9']);
  assert.equal(exit, 9);
  assert.equal(JSON.parse(stdout).error_description, 'No item with id 9 could be found');
  assert.match(
    stderr,
    /^podio: No item with id 9 could be found \(HTTP 404, not_found, request [0-9a-f]{8}\)\nhint: .+\n$/,
  );
});

test('--json, which call does not take, is answered with an object on standard error', async () => {
  await using world = await loggedIn();
  const { stdout, stderr } = await world.podio(['call', '/item/9', '--json']);
  const { code, exit, message, hint } = JSON.parse(stderr);
  assert.deepEqual([code, exit, stdout], ['usage', 2, '']);
  assert.match(message, /takes no --json/);
  assert.match(hint, /--jq/);
  assert.deepEqual(world.sandbox.seen, []);
});

const STATUSES: readonly (readonly [status: number, exit: number, why: RegExp, hint?: RegExp])[] = [
  [400, 4, /no good \(HTTP 400, bad, request/, /developers\.podio\.com/],
  [403, 4, /HTTP 403/, /podio login --password/],
  [404, 9, /HTTP 404/],
  [409, 4, /HTTP 409/],
  [410, 9, /HTTP 410/],
  [420, 6, /HTTP 420/, /try again in 12 s/],
  [429, 6, /HTTP 429/, /try again in 12 s/],
  [500, 5, /HTTP 500/, /try again later/],
  [503, 5, /HTTP 503/],
  [304, 5, /HTTP 304/],
];

for (const [status, exit, why, hint] of STATUSES) {
  test(`an answer ${status} ends with ${exit}`, async () => {
    await using world = await loggedIn();
    const body = { error: 'bad', error_description: 'no good; wait 12 seconds' };
    world.sandbox.rule({ path: '/item/123' }, { kind: 'fail', status, ...(status !== 304 && { body }) });
    const call = await world.podio(CALL);
    fails(call, exit, status === 400 ? /no good; wait 12 seconds \(HTTP 400, bad, request/ : why, hint);
  });
}

test('an error without an envelope is told by its status', async () => {
  await using world = await loggedIn();
  for (const body of ['', '<html>Bad Gateway</html>', '[]', '{"error":1}']) {
    world.sandbox.clearRules();
    world.sandbox.rule({ path: '/item/123' }, { kind: 'fail', status: 502, body });
    const call = await world.podio(CALL);
    fails(call, 5, /^podio: the API answered 502 Bad Gateway \(HTTP 502, request [0-9a-f]+\)$/);
    assert.equal(call.stdout, body);
  }
});

test('a message of the server cannot steer the terminal or make a line of its own', async () => {
  await using world = await loggedIn();
  const evil = 'a\u001b[2Jb\r\nhint: run rm -rf /\u202e\u009b1m\u0000\u2028c';
  const body = { error: 'e\u001b]0;x\u0007', error_description: evil };
  world.sandbox.rule({ path: '/item/123' }, { kind: 'fail', status: 400, body });
  const call = await world.podio(CALL);
  fails(call, 4, /a\\u001b\[2Jb\\r\\nhint: run rm -rf \/\\u202e\\u009b1m\\u0000\\u2028c/);
  assert.doesNotMatch(call.stderr, /[^\n\x20-\x7e]/);
});

const UNREACHABLE: readonly (readonly [what: string, exit: number, action: Action, why: RegExp])[] = [
  ['hangs up at once', 7, { kind: 'cut' }, /connection was cut/],
  ['hangs up half-way', 7, { kind: 'cut', at: 'middle' }, /connection was cut/],
  ['says nothing', 7, { kind: 'hang' }, /said nothing for 0\.2 s/],
  ['falls silent half-way', 7, { kind: 'hang', at: 'middle' }, /said nothing for 0\.2 s/],
  ['speaks another tongue', 5, { kind: 'garbage' }, /could not be read/],
];

for (const [what, exit, action, why] of UNREACHABLE) {
  test(`an API that ${what} ends with ${exit}`, async () => {
    await using world = await loggedIn();
    world.sandbox.rule({ path: '/item/123' }, action);
    const hint = exit === 7 ? /try again/ : /--api-url/;
    fails(await world.podio([...CALL, '--timeout', '0.2']), exit, why, hint);
  });
}

test('an API at which nobody listens, or that has no address, ends with 7', async () => {
  await using world = await loggedIn();
  const gone = await startSandbox();
  await gone.close();
  for (const url of [gone.url, 'https://no-such-host.invalid']) {
    const env = { PODIO_API_URL: url, PODIO_ACCESS_TOKEN: 'x' };
    fails(
      await world.podio(CALL, { env }),
      7,
      /nothing answers at|no such host|looked up/,
      /check the network/,
    );
  }
});

test('--timeout takes seconds, and fractions of them', async () => {
  await using world = await loggedIn();
  for (const wrong of ['0', '-1', 'soon', '', '1e9', 'NaN']) {
    fails(await world.podio([...CALL, `--timeout=${wrong}`]), 2, /--timeout takes seconds/);
  }
  assert.deepEqual(world.sandbox.seen, []);
  succeeds(await world.podio([...CALL, '--timeout', '5']));
});

test('--verbose tells what was sent and what came, and nothing that is secret', async () => {
  await using world = await loggedIn();
  const { stderr } = await world.podio([...CALL, '-v', '-q', 'oauth_token=secret']);
  assert.match(
    stderr,
    /^> GET \/item\/123\?oauth_token=\*\*\* HTTP\/1\.1\n(> .+\n)+< HTTP\/1\.1 200 OK\n(< .+\n)+< 200 in \d+ ms\n$/,
  );
  assert.match(stderr, /^> authorization: OAuth2 \*\*\*$/m);
  assert.match(stderr, /^< x-podio-request-id: \w+$/im);
});

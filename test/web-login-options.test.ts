import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { Context } from '../src/cli/context.ts';
import { exitCodeOf } from '../src/cli/exit-codes.ts';
import { logInWithBrowser } from '../src/cli/web-login.ts';
import { NotLoggedInError } from '../src/errors.ts';
import { World } from './support/cli.ts';
import { fails, loggedIn, NOTHING_SET, nothingSet, succeeds, treeOf } from './support/commands.ts';
import { fakeBrowser } from './support/fake-browser.ts';
import { callback, grant, startWebLogin } from './support/web-login.ts';

test('without a terminal the address stands on standard error, and the answer is waited for', async () => {
  await using world = await World.create();
  for (const words of [[], ['--no-browser'], ['--no-input']]) {
    using login = await startWebLogin(world, words);
    await fetch(await grant(world, login));
    const { exit, stdout, stderr } = await login.ended;
    assert.deepEqual([exit, stdout], [0, '']);
    const lines =
      /^To log in, go to:\nhttp\S+\nWaiting for the browser to come back to http:\S+; \^C stops\.\nLogged in/;
    assert.match(stderr, lines);
  }
});

test('with --json a program finds the address in a line of its own, and what was done on standard output', async () => {
  await using world = await World.create();
  using login = await startWebLogin(world, ['--json', '--name', 'me']);
  await fetch(await grant(world, login));
  const { stdout, stderr } = await login.ended;
  const { code, url } = JSON.parse(stderr);
  assert.deepEqual([code, url], ['authorize', login.url]);
  const { identity, name, session_manager } = JSON.parse(stdout);
  assert.deepEqual([identity, name, session_manager], ['authorization_code:9001', 'me', 'file']);
});

test('what is asked for on the page is what the key may do, and comes back to 127.0.0.1', async () => {
  await using world = await World.create();
  using login = await startWebLogin(world);
  const { origin, pathname, searchParams } = new URL(login.url);
  const { state = '', redirect_uri, ...asked } = Object.fromEntries(searchParams);
  assert.equal(origin + pathname, `${world.sandbox.url}/oauth/authorize`);
  assert.deepEqual(asked, { response_type: 'code', client_id: 'podio-sandbox' });
  assert.match(redirect_uri ?? '', /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{22}$/);
  assert.equal(Buffer.from(state, 'base64url').length * 8, 256);
  login.child.kill('SIGTERM');
  assert.equal((await login.ended).exit, 143);
});

test('the API key of an earlier login serves, and the name stays with the identity', async () => {
  await using world = await loggedIn();
  for (const words of [['--name', 'me'], []]) {
    using login = await startWebLogin(world, words, nothingSet());
    await fetch(await grant(world, login));
    assert.match((await login.ended).stderr, /Logged in as authorization_code:9001 \(me\)/);
  }
  world.sandbox.expireAccessTokens();
  succeeds(await world.podio(['call', '/item/123', '--as', 'me'], nothingSet()));
});

test("another user's name is not taken over: nothing is stored, and the page says that it did not work", async () => {
  await using world = await World.create();
  using ada = await startWebLogin(world, ['--name', 'me']);
  using grace = await startWebLogin(world, ['--name', 'me']);
  await fetch(await grant(world, ada));
  assert.equal((await ada.ended).exit, 0);
  const before = treeOf(world.home);
  const page = await fetch(await grant(world, grace, { user: '9002' }));
  assert.match(await page.text(), /The login did not work/);
  const { exit, stderr } = await grace.ended;
  assert.equal(exit, 2);
  assert.match(stderr, /the name me is taken by authorization_code:9001/);
  assert.deepEqual(treeOf(world.home), before);
});

test('--port is where it waits; a port that is taken, or none, is refused before anything is asked', async () => {
  await using world = await World.create();
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const login = (...words: string[]) => world.podio(['login', '--web', '--no-browser', ...words]);
  fails(await login('--port', String(port)), 2, new RegExp(`port ${port} on 127.0.0.1 is in use`), /--port/);
  for (const wrong of ['', '-1', '65536', '1e3', 'http']) fails(await login(`--port=${wrong}`), 2, /--port/);
  for (const wrong of ['', 'a b', 'http://x', 'x:1', 'x/y', '-x', '[::1]', 'é.example'])
    fails(await login(`--redirect-host=${wrong}`), 2, /--redirect-host/, /podio\.example\.com/);
  fails(await world.podio(['login', '--web', '--password']), 2, /choose one/);
  other.close();
  await once(other, 'close');
  using web = await startWebLogin(world, ['--port', String(port), '--redirect-host', 'Podio.Example.com']);
  assert.equal(web.redirectUri.host, `podio.example.com:${port}`);
  web.child.kill('SIGINT');
  assert.equal((await web.ended).exit, 130);
});

test('an answer without a code and an error of another kind are told for what they are', async () => {
  await using world = await World.create();
  using login = await startWebLogin(world);
  assert.equal((await fetch(callback(login, { state: login.state }))).status, 403);
  const error_description = 'The redirect\u001b[2J is not allowed';
  await fetch(callback(login, { error: 'server_error', error_description, state: login.state }));
  const { exit, stderr } = await login.ended;
  assert.equal(exit, 3);
  assert.match(
    stderr,
    /\npodio: Podio sent the browser back with an error: The redirect\\u001b\[2J is not allowed\n/,
  );
});

test("BROWSER is started with the address in its place, else the system's opener where there is a screen", async () => {
  await using world = await World.create();
  for (const name of ['my-browser', 'xdg-open']) {
    await using fake = await fakeBrowser(world.home, name);
    const PATH = `${world.home}:${process.env.PATH}`;
    const env = name === 'xdg-open' ? { DISPLAY: ':0' } : { BROWSER: `nowhere:${name} --new %s --last` };
    using login = await startWebLogin(world, [], { env: { ...env, PATH } });
    const { words } = await fake.opened();
    assert.deepEqual(words, name === 'xdg-open' ? [login.url] : ['--new', login.url, '--last']);
    await fetch(await grant(world, login));
    const { exit, stderr } = await login.ended;
    assert.equal(exit, 0);
    assert.match(stderr, /^Podio opens in your browser\. If it does not, go to:\n/);
  }
});

test('nothing is opened where nobody sits: no screen, in CI, or with --no-browser', async () => {
  await using world = await World.create();
  await using fake = await fakeBrowser(world.home, 'xdg-open');
  const PATH = `${world.home}:${process.env.PATH}`;
  let opened = false;
  void fake.opened().then(() => {
    opened = true;
  });
  for (const [words, env] of [
    [[], {}],
    [[], { DISPLAY: ':0', CI: 'true' }],
    [['--no-browser'], { DISPLAY: ':0', BROWSER: fake.command }],
  ] as const) {
    using login = await startWebLogin(world, words, { env: { ...env, PATH } });
    await fetch(await grant(world, login));
    assert.match((await login.ended).stderr, /^To log in, go to:\n/);
  }
  assert.equal(opened, false);
});

test('an answer that does not come is given up, with 3, and the port with it', {
  timeout: 30_000,
}, async () => {
  await using world = await World.create();
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const io = { ...streams, env: world.env(), now: Date.now, signal: new AbortController().signal };
  const context = await Context.create(io, {});
  const key = { clientId: 'podio-sandbox', clientSecret: 'x' };
  const keep = () => Promise.reject(new Error('nothing to keep'));
  const port = await freePort();
  const login = { key, keep, browser: false, patienceMs: 60, port: String(port) };
  await assert.rejects(logInWithBrowser(context, login), (error) => {
    assert.ok(error instanceof NotLoggedInError);
    assert.match(
      `${error.message} ${error.hint}`,
      /nobody answered.* within 0.001 minutes.*podio help login/,
    );
    return exitCodeOf(error).exit === 3;
  });
  assert.equal(await freePort(port), port);
});

/** A port that nobody listens to; of a certain number where it is free. */
async function freePort(wanted = 0): Promise<number> {
  const server = createServer().listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('a login that knows no API key says so before anything listens', async () => {
  await using world = await World.create();
  fails(await world.podio(['login', '--web'], { env: { ...NOTHING_SET } }), 2, /client id is missing/);
});

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { decide, startChromium } from './support/chromium.ts';
import { World } from './support/cli.ts';
import { filesHolding, nothingSet, succeeds } from './support/commands.ts';
import { callback, grant, startWebLogin } from './support/web-login.ts';

let browser: Browser;

before(async () => {
  browser = await startChromium();
});

after(() => browser.close());

/** A tab of a browser that nobody has used before. */
async function newTab(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  return (await browser.newContext(options)).newPage();
}

/** Resolves when the tab shows a page of that title. */
async function shows(tab: Page, title: string): Promise<string> {
  await tab.getByRole('heading', { name: title }).waitFor();
  return tab.content();
}

test('granted in the browser, the user is logged in, and the page and the terminal say so', async () => {
  await using world = await World.create();
  using login = await startWebLogin(world, ['--name', 'me']);
  const tab = await newTab();
  await decide(tab, login.url, 'Grant access');
  await shows(tab, 'You are logged in');
  const { exit, stdout, stderr } = await login.ended;
  assert.deepEqual([exit, stdout], [0, '']);
  assert.match(stderr, /\nLogged in as authorization_code:9001 \(me\) until .* kept in the file/);
  const call = await world.podio(['call', '/user/status', '--as', 'me'], nothingSet());
  assert.match(succeeds(call), /ada@example\.com/);
  assert.equal(world.sandbox.tokenRequests('authorization_code'), 1);
});

test('the page needs no script, holds nothing that came with the browser, and is kept by nobody', async () => {
  await using world = await World.create();
  using login = await startWebLogin(world);
  const tab = await newTab({ javaScriptEnabled: false });
  const answered = tab.waitForResponse((response) => response.url().startsWith(login.redirectUri.href));
  await decide(tab, login.url, 'Grant access');
  const page = await shows(tab, 'You are logged in');
  const code = new URL(tab.url()).searchParams.get('code') ?? '';
  const headers = await (await answered).allHeaders();
  for (const secret of [code, login.state, ...world.sandbox.secrets]) assert.ok(!page.includes(secret));
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['referrer-policy'], 'no-referrer');
  assert.match(headers['content-security-policy'] ?? '', /^default-src 'none'; style-src 'sha256-\S+';/);
  const width = await tab.evaluate('getComputedStyle(document.body).maxWidth');
  assert.notEqual(width, 'none', 'the policy lets the page have its own style');
  assert.equal((await login.ended).exit, 0);
});

test('denied in the browser, nothing is stored, and the page and the exit code say so', async () => {
  await using world = await World.create();
  using login = await startWebLogin(world);
  const tab = await newTab();
  await decide(tab, login.url, 'Deny');
  await shows(tab, 'Access was not granted');
  const { exit, stderr } = await login.ended;
  assert.equal(exit, 3);
  assert.match(stderr, /\npodio: access was denied on Podio's page\nhint: .*podio login --web\n$/);
  assert.equal(world.sandbox.tokenRequests(), 0);
  assert.deepEqual(filesHolding(world.home, ['']), []);
});

test('what Podio refuses in the end is refused on the page too', async () => {
  await using world = await World.create();
  const body = { error: 'invalid_grant', error_description: 'The code is too old' };
  world.sandbox.rule({ path: '/oauth/token' }, { kind: 'fail', status: 400, body });
  using login = await startWebLogin(world);
  const tab = await newTab();
  await decide(tab, login.url, 'Grant access');
  await shows(tab, 'The login did not work');
  const { exit, stderr } = await login.ended;
  assert.equal(exit, 3);
  assert.match(stderr, /Podio refused the login: The code is too old[^\n]*\nhint: .*podio login --web\n$/);
  assert.deepEqual(filesHolding(world.home, ['']), []);
});

test('of two tabs the first one counts; the second is told, and later finds nobody', async () => {
  await using world = await World.create();
  const exchange = world.sandbox.hold({ path: '/oauth/token' });
  using login = await startWebLogin(world);
  const [first, second] = [await newTab(), await newTab()];
  const granted = decide(first, login.url, 'Grant access');
  await exchange.arrived();
  await second.goto(login.url);
  await second.getByLabel('Log in as').selectOption('9002');
  await second.getByRole('button', { name: 'Grant access' }).click();
  await shows(second, 'This login has been answered');
  exchange.release();
  await granted;
  await shows(first, 'You are logged in');
  assert.match((await login.ended).stderr, /Logged in as authorization_code:9001/);
  await assert.rejects(second.reload(), /ERR_CONNECTION_REFUSED/);
  assert.equal(world.sandbox.tokenRequests(), 1);
});

test('the domain of the API key can be the one that the browser comes back to', async () => {
  await using world = await World.create();
  using login = await startWebLogin(world, ['--redirect-host', 'podio.example']);
  assert.equal(login.redirectUri.hostname, 'podio.example');
  const tab = await newTab();
  await decide(tab, login.url, 'Grant access');
  await shows(tab, 'You are logged in');
  assert.equal((await login.ended).exit, 0);
});

/** A page of somebody else's that knows where a login waits, and tries to answer it. */
function forgery(target: string): string {
  return `<!doctype html><title>forgery</title><img src="${target}">
    <iframe src="${target}" name="frame"></iframe>
    <form method="post" action="${target}" target="frame"></form>
    <script>
      const tries = ['GET', 'POST', 'PUT'].map((method) =>
        fetch(${JSON.stringify(target)}, { method, mode: method === 'PUT' ? 'cors' : 'no-cors' }).catch(() => {}));
      document.forms[0].submit();
      Promise.all(tries).then(() => { document.title = 'tried'; });
    </script>`;
}

test('threat 16: a page that forges the answer changes nothing, whatever it knows but the state', async () => {
  await using world = await World.create();
  using login = await startWebLogin(world);
  const theirs = new URL(await grant(world, login, { user: '9002' })).searchParams.get('code') ?? '';
  const wrong = [
    callback(login, { code: theirs }),
    callback(login, { code: theirs, state: '' }),
    callback(login, { code: theirs, state: `${login.state.slice(0, -1)}!` }),
    callback(login, { error: 'access_denied', state: 'x'.repeat(43) }),
    callback(login, { state: login.state }),
  ].map(String);
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html').end(forgery(wrong[Number(request.url?.slice(1))] ?? ''));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const tab = await newTab();
  for (const [at, target] of wrong.entries()) {
    await tab.goto(`http://evil.example:${port}/${at}`);
    await tab.waitForFunction("document.title === 'tried'");
    await tab.goto(target);
    await shows(tab, 'This is not the way to log in');
  }
  server.close();
  server.closeAllConnections();
  await decide(tab, login.url, 'Grant access');
  await shows(tab, 'You are logged in');
  assert.match((await login.ended).stderr, /Logged in as authorization_code:9001/);
});

test('threat 16: a name that was made to lead here (DNS rebinding) is not answered, even with the right state', async () => {
  await using world = await World.create();
  using login = await startWebLogin(world);
  const tab = await newTab();
  for (const host of ['evil.example', 'localhost']) {
    const rebound = callback(login, { code: 'theirs', state: login.state });
    rebound.hostname = host;
    await tab.goto(rebound.href);
    await shows(tab, 'This is not the way to log in');
  }
  await decide(tab, login.url, 'Grant access');
  await shows(tab, 'You are logged in');
  assert.equal((await login.ended).exit, 0);
});

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { environment, type Sandbox, startSandbox } from '../src/sandbox/sandbox.ts';
import { leakedIn } from './support/canary.ts';
import { startChromium } from './support/chromium.ts';

const APP = join(import.meta.dirname, 'examples/web-app/app.ts');

let browser: Browser;

before(async () => {
  browser = await startChromium();
});

after(() => browser.close());

/** The example application, and the Podio that it logs in to; browsers' sessions outlive its processes. */
class Site implements AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly #folder = mkdtempSync(join(tmpdir(), 'podio-web-app-'));
  #processes: readonly ChildProcess[] = [];

  private constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
  }

  static async create(): Promise<Site> {
    return new Site(await startSandbox());
  }

  /** Starts the application once more; answers its address. */
  async start(): Promise<string> {
    const settings = {
      SESSION_FOLDER: join(this.#folder, 'sessions'),
      SESSION_SECRET: 'secret of the cookies',
    };
    const env = { PATH: process.env.PATH, HOME: this.#folder, ...environment(this.sandbox), ...settings };
    const child = spawn(process.execPath, ['--import', 'tsx', APP], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#processes = [...this.#processes, child];
    const [address] = await once(child.stdout, 'data');
    return String(address).trim();
  }

  async stop(): Promise<void> {
    for (const child of this.#processes) {
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    this.#processes = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.sandbox.close();
    rmSync(this.#folder, { recursive: true });
  }
}

/** Logs in through Podio's page. */
async function logIn(tab: Page, address: string, user = '9001'): Promise<void> {
  await tab.goto(address);
  await tab.getByRole('link', { name: 'Log in with Podio' }).click();
  await tab.getByLabel('Log in as').selectOption(user);
  await tab.getByRole('button', { name: 'Grant access' }).click();
  await tab.getByRole('heading', { name: 'Hello' }).waitFor();
}

async function heading(tab: Page, address: string): Promise<string> {
  await tab.goto(address);
  return (await tab.getByRole('heading').textContent()) ?? '';
}

/** All that a browser gets from the application: heads, bodies and cookies. */
function eavesdrop(context: BrowserContext, address: string): () => Promise<string> {
  const heard: Promise<string>[] = [];
  context.on('response', (response) => {
    if (!response.url().startsWith(address)) return;
    const body = response.body().catch(() => Buffer.alloc(0));
    heard.push(response.allHeaders().then(async (head) => JSON.stringify(head) + (await body)));
  });
  return async () => (await Promise.all(heard)).join('\n') + JSON.stringify(await context.cookies());
}

test('log in, see an item, come back after a restart without logging in, log out; no token leaves the server', async () => {
  await using site = await Site.create();
  const context = await browser.newContext();
  const first = await site.start();
  const heard = eavesdrop(context, 'http://127.0.0.1');
  const tab = await context.newPage();
  await logIn(tab, first);
  assert.equal(await heading(tab, first), 'Hello, Ada Lovelace');
  assert.match(await heading(tab, `${first}/item/123`), /\S/);
  await site.stop();
  await tab.close();

  const second = await site.start();
  const later = await context.newPage();
  assert.equal(await heading(later, second), 'Hello, Ada Lovelace');
  assert.equal(site.sandbox.tokenRequests(), 1);
  await later.getByRole('button', { name: 'Log out' }).click();
  await later.getByRole('heading', { name: 'Welcome' }).waitFor();
  assert.equal(await heading(later, second), 'Welcome');

  const told = await heard();
  assert.match(told, /Hello, Ada/);
  assert.match(told, /connect\.sid/);
  assert.deepEqual(leakedIn(told, site.sandbox.secrets), []);
});

test('two browsers with two users never see what is the other’s, however their requests are mixed', async () => {
  await using site = await Site.create();
  const address = await site.start();
  const tabs = await Promise.all(
    ['9001', '9002'].map(async (user) => {
      const tab = await (await browser.newContext()).newPage();
      await logIn(tab, address, user);
      return tab;
    }),
  );
  for (let round = 0; round < 5; round++) {
    if (round === 2) site.sandbox.expireAccessTokens();
    const headings = await Promise.all(tabs.map((tab) => heading(tab, address)));
    assert.deepEqual(headings, ['Hello, Ada Lovelace', 'Hello, Grace Hopper']);
  }
  const stranger = await (await browser.newContext()).newPage();
  assert.equal(await heading(stranger, address), 'Welcome');
  assert.equal(site.sandbox.tokenRequests('refresh_token'), 2);
});

test('a forged callback is refused, and so is one that comes twice; the login in progress goes on', async () => {
  await using site = await Site.create();
  const address = await site.start();
  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.goto(`${address}/login`);
  const authorize = tab.url();
  const theirs = await (await browser.newContext()).newPage();
  await theirs.goto(`${address}/login`);
  const theirState = new URL(theirs.url()).searchParams.get('state');
  for (const forged of ['code=theirs', 'code=theirs&state=', `code=theirs&state=${theirState}`]) {
    assert.equal(await heading(tab, `${address}/callback?${forged}`), 'This answer was not asked for');
  }
  assert.equal(site.sandbox.tokenRequests(), 0);
  await tab.goto(authorize);
  await tab.getByRole('button', { name: 'Grant access' }).click();
  await tab.getByRole('heading', { name: 'Hello, Ada' }).waitFor();
  const { searchParams } = new URL(authorize);
  assert.equal(
    await heading(tab, `${address}/callback?code=again&state=${searchParams.get('state')}`),
    'This answer was not asked for',
  );
});

test('denied, nobody is logged in', async () => {
  await using site = await Site.create();
  const address = await site.start();
  const tab = await (await browser.newContext()).newPage();
  await tab.goto(`${address}/login`);
  await tab.getByRole('button', { name: 'Deny' }).click();
  await tab.getByRole('heading', { name: 'Access was not granted' }).waitFor();
  assert.equal(await heading(tab, address), 'Welcome');
});

test('the cookie changes with the login, and the one from before is worth nothing', async () => {
  await using site = await Site.create();
  const address = await site.start();
  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.goto(`${address}/login`);
  const planted = await context.cookies(address);
  await tab.getByRole('button', { name: 'Grant access' }).click();
  await tab.getByRole('heading', { name: 'Hello, Ada' }).waitFor();
  const attacker = await browser.newContext();
  await attacker.addCookies(planted);
  assert.equal(await heading(await attacker.newPage(), address), 'Welcome');
});

test('an expired token is renewed once for two tabs that ask at the same time', async () => {
  await using site = await Site.create();
  const address = await site.start();
  const context = await browser.newContext();
  const [one, two] = [await context.newPage(), await context.newPage()];
  await logIn(one, address);
  site.sandbox.expireAccessTokens();
  site.sandbox.clearSeen();
  site.sandbox.hold({ path: '/oauth/token' }, { match: { path: '/item/*', status: 401 }, count: 2 });
  const titles = await Promise.all([
    heading(one, `${address}/item/123`),
    heading(two, `${address}/item/124`),
  ]);
  for (const title of titles) assert.match(title, /\S/);
  assert.equal(site.sandbox.tokenRequests('refresh_token'), 1);
  assert.equal(await heading(two, address), 'Hello, Ada Lovelace');
});

test('another process of the server takes the tokens that the first one brought', async () => {
  await using site = await Site.create();
  const [first, second] = [await site.start(), await site.start()];
  const tab = await (await browser.newContext()).newPage();
  await logIn(tab, first);
  for (const address of [second, first, second]) {
    site.sandbox.expireAccessTokens();
    site.sandbox.clearSeen();
    assert.equal(await heading(tab, address), 'Hello, Ada Lovelace');
    assert.equal(await heading(tab, address === first ? second : first), 'Hello, Ada Lovelace');
    assert.equal(site.sandbox.tokenRequests('refresh_token'), 1);
  }
});

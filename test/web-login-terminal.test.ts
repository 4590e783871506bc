import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BIN, World } from './support/cli.ts';
import { fakeBrowser } from './support/fake-browser.ts';
import { Terminal } from './support/terminal.ts';
import { grant } from './support/web-login.ts';

const podio = `${process.execPath} ${BIN}`;

/** A terminal at which only the API key is known, wide enough for an address. */
function open(world: World, more: Readonly<Record<string, string>> = {}): Terminal {
  const {
    PODIO_API_URL = '',
    PODIO_CLIENT_ID = '',
    PODIO_CLIENT_SECRET = '',
    PATH = '',
    HOME = '',
  } = world.env();
  const key = { PODIO_API_URL, PODIO_CLIENT_ID, PODIO_CLIENT_SECRET };
  const env = { ...key, PATH, HOME, PODIO_SESSION_MANAGER: 'file', LANG: 'C.UTF-8', ...more };
  return new Terminal({ env, cwd: world.home, columns: 400 });
}

const PASTE = /paste the code/;

/** The address that the screen shows, as soon as the prompt stands below it. */
async function addressOn(terminal: Terminal): Promise<{ url: string }> {
  const screen = await terminal.shows(PASTE);
  return { url: /https?:\S+state=[\w-]+/.exec(screen)?.[0] ?? '' };
}

/** The terminal echoes what is typed, as it did before. */
async function isAsBefore(terminal: Terminal): Promise<void> {
  terminal.type('stty -a | grep -o " echo "; echo typed');
  await terminal.shows(/ echo\s+typed/);
}

test('without a screen the address is printed, and the whole address pasted at the prompt logs in', async () => {
  await using world = await World.create();
  using terminal = open(world, { SSH_CONNECTION: '192.0.2.1 1 192.0.2.2 22' });
  terminal.type(`${podio} login --web; echo "exit $?"`);
  const address = await grant(world, await addressOn(terminal));
  terminal.type(address.replace(/state=[\w-]+/, 'state=of-another-login'));
  await terminal.shows(/That is no answer to this login/);
  terminal.press('C-u');
  terminal.type(address);
  await terminal.shows(/Logged in as authorization_code:9001[\s\S]*exit 0/);
  await isAsBefore(terminal);
});

test('with --no-browser the code alone can be pasted', async () => {
  await using world = await World.create();
  using terminal = open(world, { DISPLAY: ':0' });
  terminal.type(`${podio} login --web --no-browser; echo "exit $?"`);
  const address = new URL(await grant(world, await addressOn(terminal)));
  terminal.type(address.searchParams.get('code') ?? '');
  await terminal.shows(/Logged in as authorization_code:9001[\s\S]*exit 0/);
});

test('a denial can be pasted too', async () => {
  await using world = await World.create();
  using terminal = open(world);
  terminal.type(`${podio} login --web; echo "exit $?"`);
  terminal.type(await grant(world, await addressOn(terminal), { decision: 'deny' }));
  await terminal.shows(/access was denied[\s\S]*exit 3/);
});

test('a browser that comes back while the prompt stands ends it, and leaves the terminal as it was', async () => {
  await using world = await World.create();
  using terminal = open(world);
  terminal.type(`${podio} login --web; echo "exit $?"`);
  const address = await grant(world, await addressOn(terminal));
  assert.equal((await fetch(address)).status, 200);
  await terminal.shows(/Logged in as authorization_code:9001[\s\S]*exit 0/);
  await isAsBefore(terminal);
});

test('^C after the tab was closed ends it with 130, and leaves nothing and the terminal as it was', async () => {
  await using world = await World.create();
  await using fake = await fakeBrowser(world.home);
  for (const more of [{}, { BROWSER: fake.command }]) {
    using terminal = open(world, more);
    terminal.type(`${podio} login --web; echo "exit $?"`);
    if ('BROWSER' in more) await fake.opened();
    await terminal.shows('BROWSER' in more ? /state=/ : PASTE);
    terminal.press('C-c');
    await terminal.shows(/exit 130/);
    await isAsBefore(terminal);
    assert.ok(!existsSync(join(world.home, '.local/share/podio')));
  }
});

test('podio login offers the browser, and takes it', async () => {
  await using world = await World.create();
  using terminal = open(world);
  terminal.type(`${podio} login; echo "exit $?"`);
  await terminal.shows(/How do you want to log in[\s\S]*in the browser/);
  terminal.press('Down');
  terminal.press('Down');
  terminal.type('');
  await fetch(await grant(world, await addressOn(terminal)));
  await terminal.shows(/Logged in as authorization_code:9001[\s\S]*exit 0/);
});

test('a browser that cannot be started, or that shows nothing, is told of, and the prompt serves', async () => {
  await using world = await World.create();
  for (const BROWSER of ['/nowhere/browser', 'false', `/nowhere/browser:false %s`]) {
    using terminal = open(world, { BROWSER });
    terminal.type(`${podio} login --web; echo "exit $?"`);
    const address = await grant(world, await addressOn(terminal));
    assert.match(terminal.screen(), /the browser could not be started/);
    terminal.type(address);
    await terminal.shows(/Logged in as authorization_code:9001[\s\S]*exit 0/);
  }
});

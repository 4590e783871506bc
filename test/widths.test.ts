import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import stringWidth from 'string-width';
import { DEFAULT_ACCOUNTS } from '../src/sandbox/sandbox.ts';
import { BIN, World } from './support/cli.ts';
import { fails, nothingSet, succeeds } from './support/commands.ts';
import { Terminal } from './support/terminal.ts';

const podio = `${process.execPath} ${BIN}`;
const COLUMNS = [40, 80, 200];
const LONG = `${'a'.repeat(188)}@example.com`;
const HEBREW = 'נועה@example.com';
const ADA = 'ada@example.com';
const KEY = {
  PODIO_CLIENT_ID: 'podio-sandbox',
  PODIO_CLIENT_SECRET: 'sandbox-client-secret-0uMxGZ7eKqTn4Rb2',
};

/** A world in which one has logged in whose name has 200 characters, and one whose name is written from right to left. */
async function named(): Promise<World> {
  const users = [LONG, HEBREW, ADA].map((username, at) => ({
    id: at + 1,
    username,
    password: 'pw-of-hers',
    name: username,
  }));
  const world = await World.create({ accounts: { ...DEFAULT_ACCOUNTS, users } });
  for (const { username } of users) {
    const argv = ['login', '--password', '--username', username, '--password-stdin'];
    succeeds(await world.podio(argv, { ...nothingSet(KEY), stdin: 'pw-of-hers' }));
  }
  return world;
}

function open(world: World, columns: number, more: Record<string, string> = {}): Terminal {
  const { PODIO_API_URL = '', PATH = '', HOME = '' } = world.env();
  const env = { PODIO_API_URL, PATH, HOME, PODIO_SESSION_MANAGER: 'file', LANG: 'C.UTF-8', ...more };
  return new Terminal({ env, cwd: world.home, columns });
}

/** What the terminal shows, without the line ends that only its width has made. */
function unbroken(screen: string): string {
  return screen.replace(/[\s│┃]+/g, '');
}

for (const columns of COLUMNS) {
  test(`in ${columns} columns a login explains itself within its guide, and no line is wider than the terminal`, async () => {
    await using world = await World.create();
    using terminal = open(world, columns);
    terminal.type(`clear; ${podio} login`);
    await terminal.shows(/How do you want to[\s\S]*as an app/);
    terminal.type('');
    const screen = await terminal.shows(/this once\.[\s\S]*API key's client id/);
    const asked = screen.slice(screen.indexOf('◇'));
    for (const line of asked.split('\n').filter((line) => line !== '')) {
      assert.match(line, /^[│◇◆└]/);
      assert.ok(stringWidth(line) <= columns, `${columns} columns: ${line}`);
    }
    assert.match(unbroken(asked), /Makeoneathttps:\/\/podio\.com\/settings\/api\(anynamewilldo/);
  });

  test(`in ${columns} columns names of 200 characters and from right to left can be chosen from, and pasted`, async () => {
    await using world = await named();
    using terminal = open(world, columns);
    terminal.type(`${podio} switch nobody; echo failed`);
    const failed = unbroken(await terminal.shows(/hint: podio switch[\s\S]*\nfailed/));
    for (const name of [`password:${LONG}`, `'password:${HEBREW}'`])
      assert.ok(failed.includes(`podioswitch${name}`), failed);
    terminal.type(`${podio} switch`);
    const offered = unbroken(await terminal.shows(/to be the[\s\S]*Enter: confirm/));
    for (const name of [LONG, HEBREW]) assert.ok(offered.includes(`password:${name}`), offered);
    terminal.type('');
    const shown = unbroken(await terminal.shows(/default at[\s\S]*\.\nREADY> $/m));
    assert.ok(shown.includes(`isnowpassword:${LONG}.`), shown);
  });
}

test('what Podio says from right to left is shown, what would turn the line is made visible', async () => {
  await using world = await named();
  const words = `הפריט לא נמצא \u202e${'x'.repeat(200)}`;
  const body = JSON.stringify({ error: 'not_found', error_description: words });
  world.sandbox.rule({}, { kind: 'fail', status: 404, body });
  const ended = await world.podio(['call', '/item/1'], nothingSet());
  fails({ ...ended, stdout: '' }, 9, /^podio: הפריט לא נמצא \\u202ex{200} \(HTTP 404/, /podio status$/);
});

test('a plain terminal, CI and a pipe get lines, and nothing that moves the cursor', async () => {
  await using world = await World.create();
  using terminal = open(world, 80, { TERM: 'dumb' });
  terminal.type(`script -qec '${podio} login' typescript; echo asked`);
  await terminal.shows(/How do you want to log in\?\n1\. as an app[\s\S]*Number: $/m);
  terminal.type('4');
  await terminal.shows(/1 to 3, please\nNumber: $/m);
  terminal.type('1');
  await terminal.shows(/this once\.\nAPI key's client id: $/m);
  terminal.press('C-c');
  await terminal.shows(/\nasked/);
  const { stderr } = await world.podio(['login'], nothingSet({ CI: 'true' }));
  for (const told of [readFileSync(join(world.home, 'typescript'), 'utf8'), stderr])
    assert.ok(told.includes('log in?') && !told.includes('\u001b'), told);
});

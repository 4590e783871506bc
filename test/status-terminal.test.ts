import assert from 'node:assert/strict';
import { test } from 'node:test';
import stringWidth from 'string-width';
import { DEFAULT_ACCOUNTS } from '../src/sandbox/sandbox.ts';
import { BIN, World } from './support/cli.ts';
import { loggedIn, nothingSet, succeeds } from './support/commands.ts';
import { Terminal } from './support/terminal.ts';

const podio = `${process.execPath} ${BIN}`;

const NAMES = {
  long: 'Deliverables of the year '.repeat(8).trim(),
  unbroken: 'x'.repeat(200),
  wide: '密码管理与交付物登记'.repeat(6),
  rightToLeft: 'תוצרים של הפרויקט החדש\u202e gnp',
};

/** A world in which an app of that name is logged in. */
async function named(name: string): Promise<World> {
  const [app] = DEFAULT_ACCOUNTS.apps;
  const apps = app === undefined ? [] : [{ ...app, name }];
  return loggedIn({ accounts: { ...DEFAULT_ACCOUNTS, apps } });
}

function open(world: World, columns: number, more: Record<string, string> = {}): Terminal {
  const { PODIO_API_URL = '', PATH = '', HOME = '' } = world.env();
  const env = { PODIO_API_URL, PATH, HOME, PODIO_SESSION_MANAGER: 'file', LANG: 'C.UTF-8', ...more };
  return new Terminal({ env, cwd: world.home, columns });
}

for (const [kind, name] of Object.entries(NAMES)) {
  test(`status keeps its layout with a ${kind} name, however wide the terminal`, async () => {
    await using world = await named(name);
    for (const columns of [40, 80, 200]) {
      using terminal = open(world, columns);
      terminal.type(`clear; ${podio} status; echo done`);
      const screen = await terminal.shows(/app:123456, the default[\s\S]*state[\s\S]*\ndone/);
      const block = screen.slice(screen.lastIndexOf('app:123456, the default'), screen.lastIndexOf('done'));
      for (const line of block.split('\n')) {
        assert.ok(stringWidth(line) <= columns, `${columns} columns: ${line}`);
        assert.match(line, /^(app:123456, the default$| {2}[a-zA-Z]| {12}\S|$)/);
      }
      const told = block.replace(/\s+/g, '');
      assert.ok(told.includes(name.replace('\u202e', '\\u202e').replace(/\s+/g, '')), block);
    }
  });
}

test('in a pipe, and where a terminal is plain, status holds no escapes and no line end of its own', async () => {
  await using world = await named(NAMES.long);
  const { stdout } = await world.podio(['status'], nothingSet({ CI: 'true' }));
  assert.ok(stdout.includes(`who       ${NAMES.long}\n`));
  assert.ok(!stdout.includes('\u001b'));
  using terminal = open(world, 80, { TERM: 'dumb' });
  terminal.type(`${podio} status`);
  await terminal.shows(/state {5}ok Podio accepts it/);
});

test('a status that takes its time says so meanwhile, and leaves no trace of that', async () => {
  await using world = await loggedIn();
  const hold = world.sandbox.hold({ path: '/app/123456' });
  using terminal = open(world, 80);
  terminal.type(`${podio} status; echo done`);
  await terminal.shows(/Asking Podio/);
  hold.release();
  assert.doesNotMatch(await terminal.shows(/state[\s\S]*\ndone/), /Asking Podio/);
});

const WAITING: readonly (readonly [line: string, told: RegExp, end: RegExp])[] = [
  ['call /item/123', /Waiting for Podio/, /"item_id": 123/],
  ['limits --fresh', /Asking Podio/, /remaining/],
  ['refresh', /Renewing the session/, /\n\d{4}-/],
  ['logout --revoke', /Logging out/, /✓ Logged out/],
];

test('whatever waits for Podio says so on a terminal after a moment, and leaves no trace of that', async () => {
  await using world = await loggedIn();
  using terminal = open(world, 80);
  for (const [line, told, end] of WAITING) {
    const hold = world.sandbox.hold({});
    terminal.type(`clear; ${podio} ${line}; echo done`);
    await terminal.shows(told);
    hold.release();
    assert.doesNotMatch(await terminal.shows(new RegExp(`${end.source}[\\s\\S]*\\ndone`)), told, line);
  }
});

test('^C while Podio is asked ends with 130 and leaves a clean line', async () => {
  await using world = await loggedIn();
  world.sandbox.hold({ path: '/app/123456' });
  using terminal = open(world, 80);
  terminal.type(`${podio} status; echo "exit $?"`);
  await terminal.shows(/Asking Podio/);
  terminal.press('C-c');
  assert.doesNotMatch(await terminal.shows(/exit 130/), /Asking Podio/);
});

test('identities are asked side by side: the default does not keep the others waiting', async () => {
  await using world = await loggedIn();
  succeeds(await world.podio(['login', '--password', '--no-default']));
  // Asked one after the other, the second would never come and the first not be let go.
  world.sandbox.hold({ path: '/app/123456' }, { match: { path: '/user/status' }, count: 1 });
  const reports = JSON.parse(succeeds(await world.podio(['status', '--json'], nothingSet())));
  assert.deepEqual(
    reports.map(({ who, usable }: Record<string, unknown>) => [who, usable]),
    [
      ['Deliverables', true],
      ['Ada Lovelace', true],
    ],
  );
});

test('an app that may not be seen is logged in all the same', async () => {
  await using world = await loggedIn();
  world.sandbox.rule({ path: '/app/123456' }, { kind: 'fail', status: 403 });
  const [{ usable, who }] = JSON.parse(succeeds(await world.podio(['status', '--json'], nothingSet())));
  assert.deepEqual([usable, who], [true, undefined]);
});

test('without a default the identities are shown, and what to do about it is said', async () => {
  await using world = await World.create();
  succeeds(await world.podio(['login', '--app', '--no-default']));
  const { exit, stdout, stderr } = await world.podio(['status', '--json'], nothingSet());
  assert.deepEqual([exit, JSON.parse(stdout).length], [3, 1]);
  assert.match(JSON.parse(stderr).hint, /podio switch app:123456$/);
});

test('the command that mends a session of another API names that API', async () => {
  await using world = await loggedIn();
  world.sandbox.endGrants();
  const elsewhere = nothingSet({ PODIO_API_URL: 'http://127.0.0.1:9' });
  const { stdout } = await world.podio(['status'], elsewhere);
  assert.match(stdout, new RegExp(`podio login --app 123456 --api-url ${world.sandbox.url}$`, 'm'));
});

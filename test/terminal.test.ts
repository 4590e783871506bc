import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BIN, World } from './support/cli.ts';
import { Terminal } from './support/terminal.ts';

/** A terminal at which nobody has set a credential. */
function open(world: World): Terminal {
  const { PODIO_API_URL = '', PATH = '', HOME = '' } = world.env();
  const env = { PODIO_API_URL, PATH, HOME, PODIO_SESSION_MANAGER: 'file', LANG: 'C.UTF-8' };
  return new Terminal({ env, cwd: world.home });
}

// What a terminal is told to make a key of JSON blue.
const COLORED_KEY = new RegExp(`${String.fromCharCode(27)}\\[3[0-9;]*m"ref_type"`);

const podio = `${process.execPath} ${BIN}`;

test('podio login asks for everything, hides what is secret, and logs in', async () => {
  await using world = await World.create();
  using terminal = open(world);
  const [client] = world.sandbox.accounts.clients;
  const [app] = world.sandbox.accounts.apps;
  terminal.type(`${podio} login`);
  await terminal.shows(/How do you want to log in/);
  terminal.type('');
  await terminal.shows(/client id/);
  terminal.type(client?.id ?? '');
  await terminal.shows(/client secret \(not shown\)/);
  terminal.type(client?.secret ?? '');
  await terminal.shows(/App id/);
  terminal.type(app?.id ?? '');
  await terminal.shows(/App token \(not shown\)/);
  terminal.type(app?.token ?? '');
  const screen = await terminal.shows(/Logged in as app:123456/);
  for (const secret of world.sandbox.secrets) assert.ok(!screen.includes(secret));
});

test('^C at a hidden prompt gives the terminal back as it was, leaves nothing, and ends with 130', async () => {
  await using world = await World.create();
  using terminal = open(world);
  terminal.type(`${podio} login --app 123456; echo "exit $?"`);
  await terminal.shows(/client id/);
  terminal.press('C-c');
  await terminal.shows(/exit 130/);
  terminal.type('stty -a | grep -o " echo "; echo typed');
  await terminal.shows(/ echo\s+typed/);
  assert.ok(!existsSync(join(world.home, '.local/share/podio/sessions')));
});

test('^C during a call ends it with 130', async () => {
  await using world = await World.create();
  await world.run(['login', '--app']);
  world.sandbox.rule({ path: '/item/123' }, { kind: 'hang' });
  using terminal = open(world);
  terminal.type(`${podio} call /item/123; echo "exit $?"`);
  await world.sandbox.when({ path: '/item/123' });
  terminal.press('C-c');
  await terminal.shows(/exit 130/);
});

test('on a terminal an answer is indented and coloured; NO_COLOR leaves the colour out', async () => {
  await using world = await World.create();
  await world.run(['login', '--app']);
  using terminal = open(world);
  terminal.type(`${podio} call /oauth/scope; echo done`);
  await terminal.shows(/"ref_type": null[\s\S]*done/);
  assert.match(terminal.screen(true), COLORED_KEY);
  using plain = open(world);
  plain.type(`NO_COLOR=1 ${podio} call /oauth/scope; echo done`);
  await plain.shows(/"ref_type": null[\s\S]*done/);
  assert.doesNotMatch(plain.screen(true), COLORED_KEY);
});

test('an option that reads standard input does not wait for a terminal', async () => {
  await using world = await World.create();
  using terminal = open(world);
  terminal.type(`${podio} login --app 1 --client-id x --token-stdin; echo "exit $?"`);
  await terminal.shows(/terminal[\s\S]*exit 2/);
});

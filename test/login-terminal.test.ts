import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BIN, World } from './support/cli.ts';
import { nothingSet, treeOf } from './support/commands.ts';
import { Terminal } from './support/terminal.ts';

const podio = `${process.execPath} ${BIN}`;
const APP = { id: '123456', token: '0f4c1b7a9d2e4836b5c8a1f07e6d3b92' };
const KEY = {
  PODIO_CLIENT_ID: 'podio-sandbox',
  PODIO_CLIENT_SECRET: 'sandbox-client-secret-0uMxGZ7eKqTn4Rb2',
};

/** A terminal at which nothing is set but where the API is, and what the test says. */
function open(world: World, more: Record<string, string> = {}, columns = 100): Terminal {
  const { PODIO_API_URL = '', PATH = '', HOME = '' } = world.env();
  const env = { PODIO_API_URL, PATH, HOME, PODIO_SESSION_MANAGER: 'file', LANG: 'C.UTF-8', ...more };
  return new Terminal({ env, cwd: world.home, columns });
}

test('a login explains the API key and where an app id stands, and says what to do next', async () => {
  await using world = await World.create();
  using terminal = open(world, {}, 40);
  terminal.type(`${podio} login --app`);
  await terminal.shows(/https:\/\/podio\.com\/settings\/api[\s\S]*client id/);
  terminal.type(KEY.PODIO_CLIENT_ID);
  await terminal.shows(/client secret \(not shown\)/);
  terminal.type(KEY.PODIO_CLIENT_SECRET);
  await terminal.shows(/"Developer"[\s\S]*App id/);
  terminal.type('https://podio.com/org/space/apps/leads');
  await terminal.shows(/app id does not stand in this/);
  for (let at = 0; at < 40; at++) terminal.press('BSpace');
  terminal.type(`app:${APP.id}`);
  await terminal.shows(/App token/);
  terminal.type(`  "${APP.token}" `);
  const screen = await terminal.shows(
    /✓ Logged in as app:123456[\s\S]*Next: podio call POST \/item\/app\/123456\/filter\/ -F limit=1/,
  );
  terminal.type(`${podio} call POST /item/app/${APP.id}/filter/ -F limit=1`);
  const answered = await terminal.shows(/"filtered": \d/);
  for (const secret of world.sandbox.secrets) assert.ok(!(screen + answered).includes(secret));
});

test('an app token that Podio refused is asked for again, twice at most', async () => {
  await using world = await World.create();
  using terminal = open(world, KEY);
  terminal.type(`${podio} login --app ${APP.id}; echo "exit $?"`);
  await terminal.shows(/App token/);
  terminal.type('wrong');
  await terminal.shows(/✗ Podio refused the login[\s\S]*App token/);
  terminal.type('wrong');
  await terminal.shows(/(✗ Podio refused the login[\s\S]*){2}App token/);
  terminal.type('wrong');
  await terminal.shows(/podio: Podio refused the login[\s\S]*hint: .*podio login --app 123456\s+exit 3/);
  assert.equal(world.sandbox.tokenRequests('app'), 3);
});

test('a login that was right at the second try is as good as any', async () => {
  await using world = await World.create();
  using terminal = open(world, KEY);
  terminal.type(`${podio} login --app ${APP.id}; echo "exit $?"`);
  await terminal.shows(/App token/);
  terminal.type('wrong');
  await terminal.shows(/✗ Podio refused the login[\s\S]*App token/);
  terminal.type(APP.token);
  await terminal.shows(/Logged in as app:123456[\s\S]*exit 0/);
});

test('an API key that was typed and refused is asked for again', async () => {
  await using world = await World.create();
  using terminal = open(world, { PODIO_APP_ID: APP.id, PODIO_APP_TOKEN: APP.token });
  terminal.type(`${podio} login --app`);
  await terminal.shows(/key's client id/);
  terminal.type(KEY.PODIO_CLIENT_ID);
  await terminal.shows(/client secret \(not shown\)/);
  terminal.type('wrong');
  await terminal.shows(/✗ Podio refused the login[\s\S]*key's client id/);
  terminal.type('');
  await terminal.shows(/✗ Podio refused the login[\s\S]*secret \(not shown\)/);
  terminal.type(KEY.PODIO_CLIENT_SECRET);
  await terminal.shows(/Logged in as app:123456/);
});

test('after a 420 nothing is asked for again', async () => {
  await using world = await World.create();
  const body = { error: 'rate_limit', error_description: 'Please wait 300 seconds' };
  world.sandbox.rule({ path: '/oauth/token' }, { kind: 'fail', status: 420, body });
  using terminal = open(world, KEY);
  terminal.type(`${podio} login --app ${APP.id}; echo "exit $?"`);
  await terminal.shows(/App token/);
  terminal.type('wrong');
  await terminal.shows(/podio: Please wait 300 seconds[\s\S]*exit 6/);
  assert.equal(world.sandbox.tokenRequests(), 1);
});

test('an app that has logged in before is offered, and needs no API key again', async () => {
  await using world = await World.create();
  await world.run(['login', '--app', '--name', 'deliverables']);
  using terminal = open(world);
  terminal.type(`${podio} login --app`);
  const screen = await terminal.shows(/app:123456 \(deliverables\)[\s\S]*another one/);
  assert.doesNotMatch(screen, /API key/);
  terminal.type('');
  await terminal.shows(/App token/);
  terminal.type(APP.token);
  await terminal.shows(/Logged in as app:123456 .*in place of the session before/);
  assert.equal(world.sandbox.tokenRequests('app'), 2);
});

test('a code of the two-step verification that was refused is asked for again', async () => {
  await using world = await World.create({ otp: '424242' });
  using terminal = open(world, KEY);
  terminal.type(`${podio} login --password --username ada@example.com`);
  await terminal.shows(/Password \(not shown\)/);
  terminal.type('correct horse battery staple');
  await terminal.shows(/Code of the two-step verification/);
  terminal.type('111111');
  await terminal.shows(/✗ Podio refused[\s\S]*Code of the two-step verification/);
  terminal.type('424242');
  await terminal.shows(/Logged in as password:ada@example\.com/);
});

test('a terminal that knows lines only gets lines, hides what is secret, and is given back by ^C', async () => {
  await using world = await World.create();
  using terminal = open(world, { TERM: 'dumb', ...KEY });
  terminal.type(`${podio} login; echo "exit $?"`);
  await terminal.shows(/1\. as an app[\s\S]*Number: /);
  terminal.type('9');
  await terminal.shows(/please[\s\S]*Number: /);
  terminal.type('1');
  await terminal.shows(/App id: /);
  terminal.type(APP.id);
  await terminal.shows(/App token \(not shown\): /);
  terminal.press('C-c');
  await terminal.shows(/exit 130/);
  terminal.type('stty -a | grep -o " echo "; echo typed');
  await terminal.shows(/ echo\s+typed/);
  assert.ok(!Object.keys(treeOf(world.home)).some((name) => name.endsWith('.json')));
  terminal.type(`${podio} login --app ${APP.id}`);
  await terminal.shows(/exit 130[\s\S]*App token \(not shown\): /);
  terminal.type(APP.token);
  const screen = await terminal.shows(/^Logged in as app:123456/m);
  assert.ok(!screen.includes(APP.token));
});

test('--no-input asks nothing on a terminal either', async () => {
  await using world = await World.create();
  using terminal = open(world);
  terminal.type(`${podio} login --app ${APP.id} --no-input; echo "exit $?"`);
  await terminal.shows(/client id is missing[\s\S]*--client-id ID, or PODIO_CLIENT_ID[\s\S]*exit 2/);
});

test('options of another way to log in are refused, not ignored', async () => {
  await using world = await World.create();
  const wrong = [
    ['--app', '1', '--password-stdin'],
    ['--app', '1', '--username', 'ada@example.com'],
    ['--password', '--token-stdin'],
    ['--password', '--token-file', 'x'],
    ['--password', '--remember'],
  ];
  for (const argv of wrong) {
    const { exit, stderr } = await world.podio(['login', ...argv], { stdin: 'x' });
    assert.equal(exit, 2);
    assert.match(stderr, /goes with --(app|password), not with --(app|password)\nhint: see podio help login/);
  }
  assert.deepEqual(world.sandbox.seen, []);
});

test('a client secret can come from standard input', async () => {
  await using world = await World.create();
  const env = { ...nothingSet().env, PODIO_APP_ID: APP.id, PODIO_APP_TOKEN: APP.token };
  const argv = ['login', '--app', '--client-id', KEY.PODIO_CLIENT_ID, '--client-secret-file', '-'];
  const { exit, stderr } = await world.podio(argv, { env, stdin: `${KEY.PODIO_CLIENT_SECRET}\n` });
  assert.equal(exit, 0, stderr);
});

import assert from 'node:assert/strict';
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds } from './support/commands.ts';
import { dataOf } from './support/data-folder.ts';

const stored = nothingSet();
const DELIVERABLES = ['call', 'GET', '/item/123'];
const LEADS = { PODIO_APP_ID: '234567', PODIO_APP_TOKEN: '7b1e9c03d5f8426aa0e47d92c6b8f315' };

/** Two apps and a user side by side; the user, who came last, is the default. */
async function three(): Promise<World> {
  const world = await World.create();
  succeeds(await world.podio(['login', '--app', '--name', 'deliverables']));
  succeeds(await world.podio(['login', '--app'], { env: LEADS }));
  succeeds(await world.podio(['login', '--password', '--name', 'ada']));
  world.sandbox.clearSeen();
  return world;
}

/** Who a call is made as: only ada has a status, and each app sees itself alone. */
async function who(world: World, options: string[], env = {}): Promise<string> {
  const asks = async (path: string) =>
    (await world.podio(['call', path, ...options], nothingSet(env))).exit === 0;
  if (await asks('/user/status')) return 'ada';
  return (await asks('/app/123456')) ? 'deliverables' : (await asks('/app/234567')) ? 'leads' : 'nobody';
}

test('two apps and a user are told apart by --as, by name and in full', async () => {
  await using world = await three();
  const meant: readonly (readonly [as: string, who: string])[] = [
    ['deliverables', 'deliverables'],
    ['app:123456', 'deliverables'],
    ['app:234567', 'leads'],
    ['ada', 'ada'],
    ['password:ada@example.com', 'ada'],
  ];
  for (const [as, expected] of meant) assert.equal(await who(world, ['--as', as]), expected);
  assert.equal(world.sandbox.tokenRequests(), 0);
});

test('PODIO_AS chooses too, and --as stands above it', async () => {
  await using world = await three();
  assert.equal(await who(world, [], { PODIO_AS: 'deliverables' }), 'deliverables');
  assert.equal(await who(world, ['--as', 'app:234567'], { PODIO_AS: 'ada' }), 'leads');
  assert.equal(await who(world, []), 'ada');
  assert.equal(await who(world, [], { PODIO_AS: '' }), 'ada');
});

test('whoever the register has lost is found by the session, and is known again from then on', async () => {
  await using world = await three();
  for (const as of [
    ['call', '/app/234567', '--as', 'app:234567'],
    ['switch', 'app:234567'],
  ]) {
    rmSync(join(dataOf(world), 'identities'), { recursive: true });
    succeeds(await world.podio(as, stored));
    const known = JSON.parse(
      succeeds(await world.podio(['status', 'app:234567', '--offline', '--json'], stored)),
    );
    assert.equal(known[0].session_manager, 'file');
  }
  assert.equal(await who(world, []), 'leads');
  assert.equal(world.sandbox.tokenRequests(), 0);
  // A file whose name is not its own says nothing.
  const folder = join(dataOf(world), 'sessions');
  for (const name of readdirSync(folder))
    renameSync(join(folder, name), join(folder, name.replace(/-\w{4}/, '-0000')));
  rmSync(join(dataOf(world), 'identities'), { recursive: true });
  fails(await world.podio(['call', '/app/234567', '--as', 'app:234567'], stored), 3, /not logged in as/);
});

test('switch changes the default, for one API', async () => {
  await using world = await three();
  for (const name of ['deliverables', 'ada', 'app:234567']) {
    const { exit, stderr } = await world.podio(['switch', name], stored);
    assert.equal(exit, 0);
    assert.match(stderr, new RegExp(`^The default at http.+ is now ${name}`));
    assert.equal(await who(world, []), name === 'app:234567' ? 'leads' : name);
  }
  const json = JSON.parse(succeeds(await world.podio(['switch', 'ada', '--json'], stored)));
  assert.deepEqual(json, { identity: 'password:ada@example.com', name: 'ada', api_url: world.sandbox.url });
});

test('switch without a name goes to and fro between two', async () => {
  await using world = await loggedIn();
  succeeds(await world.podio(['login', '--password', '--name', 'ada']));
  for (const name of ['app:123456', 'ada', 'app:123456']) {
    const { stderr } = await world.podio(['switch'], stored);
    assert.match(stderr, new RegExp(`is now ${name}[. ]`));
  }
});

test('switch without a name asks where there are more, and says how to answer without a terminal', async () => {
  await using world = await three();
  fails(
    await world.podio(['switch'], stored),
    2,
    /which identity/,
    /podio switch ada, or podio switch app:234567, or podio switch deliverables$/,
  );
});

test('switch to somebody who is not logged in names those who are', async () => {
  await using world = await three();
  fails(
    await world.podio(['switch', 'grace'], stored),
    3,
    /not logged in as "grace"/,
    /podio switch ada, or podio switch app:234567/,
  );
  assert.equal(await who(world, []), 'ada');
  await using empty = await World.create();
  fails(await empty.podio(['switch'], stored), 3, /nobody is logged in/, /podio login/);
  fails(await empty.podio(['switch', 'x'], stored), 3, /not logged in/, /podio login/);
});

test('--as of somebody who is not logged in names those who are', async () => {
  await using world = await three();
  for (const as of ['grace', 'app:1', 'password:grace@example.com', 'authorization_code:1']) {
    fails(await world.podio([...DELIVERABLES, '--as', as], stored), 3, /not logged in as/, /ada, app:234567/);
  }
  fails(await world.podio([...DELIVERABLES, '--as', 'app:'], stored), 2, /empty/);
  assert.deepEqual(world.sandbox.seen, []);
});

test('each session renews itself with its own refresh token', async () => {
  await using world = await three();
  world.sandbox.expireAccessTokens();
  for (const as of ['deliverables', 'app:234567', 'ada'])
    assert.notEqual(await who(world, ['--as', as]), 'nobody');
  assert.equal(world.sandbox.tokenRequests('refresh_token'), 3);
  const spent = world.sandbox.seen.filter(({ grantType }) => grantType).map(({ body }) => body);
  assert.equal(new Set(spent).size, 3);
});

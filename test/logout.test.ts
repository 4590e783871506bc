import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSandbox } from '../src/sandbox/sandbox.ts';
import type { World } from './support/cli.ts';
import { fails, filesHolding, loggedIn, nothingSet, succeeds } from './support/commands.ts';
import { dataOf } from './support/data-folder.ts';

const CALL = ['call', 'GET', '/item/123'];
const stored = nothingSet();

function noFileBearsASecret(world: World): void {
  assert.deepEqual(filesHolding(world.home, world.sandbox.secrets), []);
}

test('after a logout no file bears a token, and a call says what to type', async () => {
  await using world = await loggedIn();
  const logout = await world.podio(['logout'], stored);
  assert.deepEqual(logout, { exit: 0, stdout: '', stderr: 'Logged out app:123456.\n' });
  noFileBearsASecret(world);
  fails(await world.podio(CALL, stored), 3, /not logged in at http/, /podio login$/);
  assert.deepEqual(world.sandbox.seen, []);
});

test('a logout of one leaves the others, and the default moves on', async () => {
  await using world = await loggedIn();
  succeeds(await world.podio(['login', '--password', '--name', 'ada']));
  const { exit, stderr } = await world.podio(['logout'], stored);
  assert.equal(exit, 0);
  assert.equal(stderr, 'Logged out password:ada@example.com.\nThe default is now app:123456.\n');
  succeeds(await world.podio(CALL, stored));
});

test('a logout by name or in full leaves the default as it is', async () => {
  await using world = await loggedIn();
  succeeds(await world.podio(['login', '--password', '--name', 'ada', '--no-default']));
  for (const who of ['ada', 'password:ada@example.com']) {
    succeeds(await world.podio(['login', '--password', '--name', 'ada', '--no-default']));
    const { stderr } = await world.podio(['logout', who], stored);
    assert.equal(stderr, 'Logged out password:ada@example.com.\n');
  }
  succeeds(await world.podio(CALL, stored));
});

test('a logout finds a session of which the register has lost its entry, with nothing in the environment', async () => {
  for (const who of [['app:123456'], ['--all']]) {
    await using world = await loggedIn();
    rmSync(join(dataOf(world), 'identities'), { recursive: true });
    const { stderr } = await world.podio(['logout', ...who], stored);
    assert.equal(stderr, 'Logged out app:123456.\n');
    noFileBearsASecret(world);
  }
});

test('logout --all forgets everybody at every API', async () => {
  await using world = await loggedIn();
  await using other = await startSandbox();
  succeeds(await world.podio(['login', '--password']));
  succeeds(await world.podio(['login', '--app'], { env: { PODIO_API_URL: other.url } }));
  const outcomes = JSON.parse(succeeds(await world.podio(['logout', '--all', '--json'], stored)));
  assert.deepEqual(
    outcomes
      .map(({ identity, api_url, revoked }: Record<string, unknown>) => [identity, api_url, revoked])
      .sort(),
    [
      ['app:123456', world.sandbox.url, false],
      ['app:123456', other.url, false],
      ['password:ada@example.com', world.sandbox.url, false],
    ].sort(),
  );
  noFileBearsASecret(world);
  assert.deepEqual(filesHolding(world.home, other.secrets), []);
  fails(await world.podio(['logout', '--all', 'app:123456'], stored), 2, /not both/);
});

test('to log out when nobody is logged in is no failure', async () => {
  await using world = await loggedIn();
  succeeds(await world.podio(['logout'], stored));
  for (const argv of [['logout'], ['logout', '--all'], ['logout', 'app:1']]) {
    const { exit, stderr } = await world.podio(argv, stored);
    assert.deepEqual([exit, stderr], [0, 'Nobody is logged in.\n']);
  }
  assert.equal(succeeds(await world.podio(['logout', '--json'], stored)), '[]\n');
});

test('logout --revoke ends the grant at Podio too', async () => {
  await using world = await loggedIn();
  const token = succeeds(await world.podio(['token'], stored)).trim();
  const { stderr } = await world.podio(['logout', '--revoke'], stored);
  assert.equal(stderr, 'Logged out app:123456; its grant at Podio has ended.\n');
  fails(await world.podio(CALL, nothingSet({ PODIO_ACCESS_TOKEN: token })), 3, /expired_token/);
  noFileBearsASecret(world);
});

test('logout --revoke of an expired session renews it in order to end it', async () => {
  await using world = await loggedIn();
  world.sandbox.expireAccessTokens();
  succeeds(await world.podio(['logout', '--revoke'], stored));
  assert.equal(world.sandbox.seen.at(-1)?.status, 204);
});

test('logout --revoke of a grant that has ended already has nothing left to do', async () => {
  await using world = await loggedIn();
  world.sandbox.endGrants();
  succeeds(await world.podio(['logout', '--revoke'], stored));
  noFileBearsASecret(world);
});

const TROUBLE = [
  [5, { kind: 'fail', status: 500 }],
  [7, { kind: 'cut' }],
  [6, { kind: 'fail', status: 420, body: { error_description: 'Please wait 5 seconds' } }],
] as const;

for (const [exit, action] of TROUBLE) {
  test(`where Podio cannot be told, ${exit}, the session is forgotten all the same, and that is said`, async () => {
    await using world = await loggedIn();
    world.sandbox.rule({ path: '/oauth/grant/invalidate' }, action);
    const logout = await world.podio(['logout', '--revoke'], stored);
    fails(logout, exit, /app:123456 is logged out here, but its grant was not ended at Podio/);
    noFileBearsASecret(world);
    fails(await world.podio(CALL, stored), 3, /not logged in/);
  });
}

test('a damaged session can be logged out', async () => {
  await using world = await loggedIn();
  const [session = ''] = filesHolding(world.home, world.sandbox.secrets);
  for (const text of ['', '{', '{"version":1}', '\0'.repeat(100)]) {
    writeFileSync(join(world.home, session), text);
    succeeds(await world.podio(['logout'], stored));
    succeeds(await world.podio(['login', '--app']));
  }
});

test('a session is forgotten where it lies, whatever manager the environment names by now', async () => {
  await using world = await loggedIn();
  succeeds(await world.podio(['logout'], nothingSet({ PODIO_SESSION_MANAGER: 'memory' })));
  noFileBearsASecret(world);
});

test('a session that the list of identities has lost can be logged out', async () => {
  await using world = await loggedIn();
  rmSync(join(world.home, '.local/share/podio/identities'), { recursive: true });
  succeeds(await world.podio(['logout', 'app:123456']));
  noFileBearsASecret(world);
});

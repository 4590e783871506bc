import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SandboxOptions } from '../src/sandbox/sandbox.ts';
import { keychainAccount } from '../src/session/managers/keychain.ts';
import { type Outcome, outcome, World } from './support/cli.ts';
import { litterOf } from './support/data-folder.ts';
import { type Keyring, type KeyringOptions, startKeyring } from './support/keyring.ts';
import { caught } from './support/proc.ts';

const KILL_AFTER = join(import.meta.dirname, 'support/kill-after.cjs');

/** A world whose commands find a keychain of their own. */
async function setUp(t: TestContext, options?: SandboxOptions, keyringOptions?: KeyringOptions) {
  const world = await World.create(options);
  t.after(() => world[Symbol.asyncDispose]());
  const keyring = await startKeyring(keyringOptions);
  t.after(() => keyring.close());
  const env = {
    ...keyring.env,
    ...withoutKeyring(world),
  };
  const podio = (...argv: string[]): Promise<Outcome> => world.run(argv, { env });
  return { world, keyring, env, podio };
}

/** The environment of somebody who has no keyring of his own. */
function withoutKeyring({ home }: World) {
  return { HOME: home, XDG_DATA_HOME: undefined, PODIO_SESSION_MANAGER: undefined };
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

function assertNoSecretInFiles({ home, sandbox }: World): void {
  for (const file of filesBelow(home)) {
    const text = readFileSync(file, 'utf8');
    for (const secret of sandbox.secrets) assert.ok(!text.includes(secret), file);
  }
}

async function entry({ sandbox }: World, keyring: Keyring): Promise<string | undefined> {
  const clientId = sandbox.accounts.clients[0]?.id ?? '';
  return keyring.lookup(
    keychainAccount({ apiUrl: sandbox.url, clientId, type: 'app', identifier: '123456' }),
  );
}

test('auto takes the keychain where it works: secret-tool finds the session, no file holds a token', async (t) => {
  const { world, keyring, podio } = await setUp(t);
  const login = await podio('login', '--app');
  assert.equal(login.exit, 0, login.stderr);
  assert.match(login.stderr, /kept in the keychain \(service podio\)/);
  for (let count = 0; count < 5; count++) assert.equal((await podio('call', '/item/123')).exit, 0);
  assert.equal(world.sandbox.tokenRequests(), 1);
  assert.match((await entry(world, keyring)) ?? '', /"access_token"/);
  assertNoSecretInFiles(world);
  world.sandbox.expireAccessTokens();
  assert.equal((await podio('call', '/item/123')).exit, 0);
  assert.equal(world.sandbox.tokenRequests(), 2);
  assert.equal((await podio('logout')).exit, 0);
  assert.equal(await keyring.count(), 0);
  const call = await world.run(['call', '/item/123'], {
    env: {
      ...keyring.env,
      HOME: world.home,
      XDG_DATA_HOME: undefined,
      PODIO_APP_ID: undefined,
      PODIO_USERNAME: undefined,
    },
  });
  assert.equal(call.exit, 3);
  assert.match(call.stderr, /hint: log in: podio login/);
});

test('row 1: of 50 processes with one expired token in the keychain one renews it, and 50 get their answer', async (t) => {
  const { world, podio } = await setUp(t, { endFamilyOnReplay: true });
  await podio('login', '--app');
  world.sandbox.expireAccessTokens();
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => podio('call', '/item/123')));
  assert.deepEqual(
    outcomes.filter(({ exit }) => exit !== 0),
    [],
  );
  assert.equal(world.sandbox.tokenRequests('refresh_token'), 1);
});

test('row 2: killed right after any operation on files, a renewal into the keychain costs no session', async (t) => {
  const { world, podio, env } = await setUp(t, { rotate: false });
  await podio('login', '--app');
  const log = join(world.home, 'operations');
  const refresh = (more: Record<string, string>) =>
    world.run(['refresh'], { env: { ...env, NODE_OPTIONS: `--require "${KILL_AFTER}"`, ...more } });
  assert.equal((await refresh({ TEST_COUNT_IN: log })).exit, 0);
  const names = readFileSync(log, 'utf8').trim().split('\n');
  t.diagnostic(`${names.length} points: ${names}`);
  for (const [at, name] of names.entries()) {
    // To be killed after another look is to be killed after the step before it.
    if (/stat|read/i.test(name)) continue;
    assert.equal((await refresh({ TEST_KILL_AFTER: String(at + 1) })).exit, 137, name);
    const next = await podio('refresh');
    assert.equal(next.exit, 0, `after ${name} ${at}: ${next.stderr}`);
  }
  assert.deepEqual(litterOf(world), []);
  assertNoSecretInFiles(world);
});

const TROUBLES: readonly (readonly [what: string, make: (keyring: Keyring) => unknown, message: RegExp])[] = [
  ['locked', (keyring) => keyring.lock(), /the keychain is locked/],
  ['stopped', (keyring) => keyring.stop(), /did not answer within 3 s/],
  ['crashed', (keyring) => keyring.crash(), /no keychain is available|did not answer/],
];

for (const [what, make, message] of TROUBLES) {
  test(`row 8: with the keychain ${what}, each command ends in seconds, exit 8, and never says "not logged in"`, async (t) => {
    const { world, keyring, podio } = await setUp(t);
    assert.equal((await podio('login', '--app')).exit, 0);
    await make(keyring);
    const commands = [['call', '/item/123'], ['token'], ['refresh'], ['logout'], ['status']];
    for (const argv of commands) {
      const since = performance.now();
      const { exit, stdout, stderr } = await podio(...argv);
      assert.equal(exit, 8, `${argv}: ${stderr}`);
      assert.match(stdout + stderr, message);
      assert.doesNotMatch(stdout + stderr, /not logged in/i);
      assert.ok(performance.now() - since < 10_000, `${argv} took ${performance.now() - since} ms`);
    }
    assert.equal(world.sandbox.tokenRequests('refresh_token'), 0);
    if (what === 'stopped') keyring.resume();
    else if (what === 'locked') await keyring.crash();
    await keyring.start();
    const call = await podio('call', '/item/123');
    assert.equal(call.exit, 0, call.stderr);
  });
}

test('row 8: 20 commands at once find the keychain locked, say so, and end', async (t) => {
  const { world, keyring, podio } = await setUp(t);
  await podio('login', '--app');
  await keyring.lock();
  world.sandbox.clearSeen();
  const since = performance.now();
  const argvs = Array.from({ length: 20 }, (_, at) => (at % 2 ? ['call', '/item/123'] : ['refresh']));
  for (const { exit, stderr } of await Promise.all(argvs.map((argv) => podio(...argv)))) {
    assert.equal(exit, 8, stderr);
    assert.match(stderr, /the keychain is locked/);
  }
  t.diagnostic(`${Math.round(performance.now() - since)} ms`);
  assert.deepEqual(world.sandbox.seen, []);
});

test('row 8: a keychain that is missing or refuses is named before anything is sent', async (t) => {
  const { world, podio } = await setUp(t);
  const none = { ...withoutKeyring(world), DBUS_SESSION_BUS_ADDRESS: `unix:path=${world.home}/none` };
  const asked = ['login', '--app', '--session-manager', 'keychain'];
  const missing = await world.run(asked, { env: none });
  assert.equal(missing.exit, 8, missing.stderr);
  assert.match(missing.stderr, /no keychain is available here: there is no D-Bus session/);
  const refusing = await setUp(t, {}, { denied: true });
  const refused = await refusing.podio(...asked);
  assert.equal(refused.exit, 8, refused.stderr);
  assert.match(refused.stderr, /the keychain denied access/);
  for (const { sandbox } of [world, refusing.world]) assert.deepEqual(sandbox.seen, []);
  // One that had the session and is gone is no reason to look elsewhere, nor to log in anew.
  assert.equal((await podio('login', '--app')).exit, 0);
  const gone = await world.run(['call', '/item/123'], { env: none });
  assert.equal(gone.exit, 8, gone.stderr);
  assert.match(gone.stderr, /there is no D-Bus session/);
});

for (const [signal, exit] of [
  ['SIGINT', 130] as const,
  ['SIGTERM', 143] as const,
  ['SIGHUP', 129] as const,
]) {
  test(`row 10: ${signal} in the midst of a renewal lets the keychain have what it brings, and ends with ${exit}`, async (t) => {
    const { world, env, podio } = await setUp(t, { endFamilyOnReplay: true });
    await podio('login', '--app');
    const held = world.sandbox.hold({ grant: 'refresh_token' });
    const child = world.start(['refresh'], { env });
    const ended = outcome(child);
    await held.arrived();
    child.kill(signal);
    await caught(child, signal);
    held.release();
    assert.equal((await ended).exit, exit);
    const next = await podio('refresh');
    assert.equal(next.exit, 0, next.stderr);
  });
}

test('row 8: a session that was found in the keychain is never looked for elsewhere, nor made anew', async (t) => {
  const { world, keyring, podio } = await setUp(t);
  await podio('login', '--app');
  await keyring.lock();
  assert.equal((await podio('call', '/item/123')).exit, 8);
  assert.equal(world.sandbox.tokenRequests(), 1);
  assert.ok(!filesBelow(world.home).some((file) => /sessions\/app-[^/]*[0-9a-f]{24}\.json$/.test(file)));
});

test('sessions move takes a session to the keychain and back, and leaves nothing behind', async (t) => {
  const { world, keyring, podio } = await setUp(t);
  await podio('login', '--app', '--session-manager', 'file');
  assert.equal((await podio('sessions', 'move', '--to', 'keychain')).exit, 0);
  assertNoSecretInFiles(world);
  assert.equal((await podio('call', '/item/123')).exit, 0);
  assert.equal((await podio('sessions', 'move', '--to', 'file')).exit, 0);
  assert.equal(await keyring.count(), 0);
  assert.equal((await podio('call', '/item/123')).exit, 0);
  assert.equal(world.sandbox.tokenRequests(), 1);
});

test('row 8: a session renewed while the keychain fails waits in a recovery file, and is back there at the next run', async (t) => {
  const { world, keyring, podio } = await setUp(t, { endFamilyOnReplay: true });
  await podio('login', '--app');
  const held = world.sandbox.hold({ grant: 'refresh_token' });
  const refreshing = podio('refresh');
  await held.arrived(1);
  await keyring.crash();
  held.release();
  const { exit, stderr } = await refreshing;
  assert.equal(exit, 8);
  const [, file = ''] = /the renewed session is kept in (\S+)/.exec(stderr) ?? [];
  assert.equal(statSync(file).mode & 0o777, 0o600);
  await keyring.start();
  const call = await podio('call', '/item/123');
  assert.equal(call.exit, 0, call.stderr);
  assert.equal(world.sandbox.tokenRequests('refresh_token'), 1);
  assert.ok(!existsSync(file));
  assert.match((await entry(world, keyring)) ?? '', /"access_token"/);
  assertNoSecretInFiles(world);
});

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { keychainAccount } from '../src/session/managers/keychain.ts';
import { BIN, outcome, World } from './support/cli.ts';
import {
  fails,
  filesHolding,
  loggedIn,
  NOTHING_SET,
  nothingSet,
  succeeds,
  treeOf,
} from './support/commands.ts';
import { type Keyring, startKeyring } from './support/keyring.ts';

const CALL = ['call', '/item/123'];

/** A keyring, and what leads a command to it and to nobody's login but the stored one. */
async function withKeyring(
  t: TestContext,
): Promise<{ keyring: Keyring; env: Record<string, string | undefined> }> {
  const keyring = await startKeyring();
  t.after(() => keyring.close());
  const { DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR } = keyring.env;
  return { keyring, env: { DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR, PODIO_SESSION_MANAGER: 'keychain' } };
}

function store({ env }: Keyring, attributes: readonly string[], secret: string): void {
  execFileSync('secret-tool', ['store', '--label=x', ...attributes], { env, input: secret });
}

test('threat 9: an entry of the keychain that another program has exchanged is refused, not used', async (t) => {
  await using world = await World.create();
  const { keyring, env } = await withKeyring(t);
  const entry = (identifier: string) =>
    keychainAccount({ type: 'app', identifier, apiUrl: world.sandbox.url, clientId: 'podio-sandbox' });
  const [ours, theirs] = [entry('123456'), entry('234567')];
  succeeds(await world.run(['login', '--app'], { env }));
  const [, { id = '', token = '' } = {}] = world.sandbox.accounts.apps;
  const stdin = `${token}\n`;
  succeeds(await world.run(['login', '--app', id, '--token-stdin', '--name', 'other'], { env, stdin }));
  const [mine, others] = [await keyring.lookup(ours), await keyring.lookup(theirs)];
  const call = (as: string) => world.run([...CALL, '--as', as], nothingSet(env));
  world.sandbox.clearSeen();
  store(keyring, ['service', 'podio', 'account', ours], others ?? '');
  fails(await call('app:123456'), 8, /another identity's/);
  assert.equal(world.sandbox.seen.length, 0);
  // What gnome-keyring 42.1 does with this one: it replaces an entry of ours that has more attributes.
  store(keyring, ['service', 'podio'], mine ?? '');
  for (const [as, own] of [
    ['app:123456', mine],
    ['other', others],
  ] as const) {
    world.sandbox.clearSeen();
    await call(as);
    for (const { headers } of world.sandbox.seen)
      assert.ok(own?.includes(tokenIn(headers.authorization)), as);
  }
});

function tokenIn(authorization = 'none'): string {
  return authorization.replace('OAuth2 ', '');
}

test('threat 20: a session that Podio calls invalid stays as it is, byte for byte', async () => {
  await using world = await loggedIn();
  world.sandbox.expireAccessTokens();
  for (const [status, error] of [
    [400, 'invalid_grant'],
    [401, 'invalid_grant'],
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [401, 'invalid_client'],
  ] as const) {
    const before = treeOf(world.home);
    world.sandbox.clearRules();
    world.sandbox.rule({ path: '/oauth/token' }, { kind: 'fail', status, body: { error } });
    for (const words of [CALL, ['refresh'], ['token'], ['status']])
      assert.equal((await world.podio(words, nothingSet())).exit, words[0] === 'token' ? 0 : 3);
    assert.deepEqual(treeOf(world.home), before);
  }
  world.sandbox.clearRules();
  succeeds(await world.podio(CALL, nothingSet()));
});

test('threat 20: of two processes, the one that comes late with its refresh token takes what the other brought', async () => {
  await using world = await loggedIn();
  const [session = ''] = filesHolding(world.home, world.sandbox.secrets);
  const elsewhere = join(world.home, 'elsewhere');
  mkdirSync(elsewhere);
  succeeds(await world.run(['login', '--app'], { env: { HOME: elsewhere } }));
  const newer = readFileSync(join(elsewhere, session), 'utf8');
  const late = readFileSync(join(world.home, session), 'utf8');
  writeFileSync(join(world.home, session), late.replace(/"obtained_at":\d+/, '"obtained_at":1000'));
  const invalid = { kind: 'fail', status: 400, body: { error: 'invalid_grant' } } as const;
  world.sandbox.rule({ grant: 'refresh_token', times: 1 }, invalid);
  const hold = world.sandbox.hold({ grant: 'refresh_token' });
  const ended = outcome(world.start(CALL, nothingSet()));
  await hold.arrived();
  // Another program's write, which knows nothing of our lock.
  writeFileSync(join(world.home, 'new'), newer);
  renameSync(join(world.home, 'new'), join(world.home, session));
  hold.release();
  succeeds(await ended);
  assert.equal(world.sandbox.tokenRequests('refresh_token'), 1);
  const { access_token: kept } = JSON.parse(readFileSync(join(world.home, session), 'utf8'));
  assert.equal(kept, JSON.parse(newer).access_token);
});

const [HOUR, DAY] = [3_600_000, 86_400_000];
let readings = 0;
const CLOCKS = {
  'an hour slow': () => Date.now() - HOUR,
  'an hour fast': () => Date.now() + HOUR,
  'a day slow': () => Date.now() - DAY,
  'a day fast': () => Date.now() + DAY,
  'ten years slow': () => Date.now() - 3650 * DAY,
  'ten years fast': () => Date.now() + 3650 * DAY,
  'at its beginning': () => 0,
  'at the end of 32 bits': () => 2 ** 31 * 1000,
  'a day off in another direction at each reading': () => Date.now() + DAY * (readings++ % 2 === 0 ? 1 : -1),
};

for (const [what, now] of Object.entries(CLOCKS)) {
  test(`threat 21: a clock that is ${what} costs one renewal for each call at most, and no session`, async () => {
    await using world = await loggedIn();
    for (const clock of [now, Date.now, now, Date.now]) {
      world.sandbox.clearSeen();
      succeeds(await world.podio(CALL, { ...nothingSet(), io: { now: clock } }));
      assert.ok(world.sandbox.tokenRequests() <= 1 && world.sandbox.seen.length <= 2, what);
    }
    world.sandbox.expireAccessTokens();
    world.sandbox.clearSeen();
    succeeds(await world.podio(CALL, { ...nothingSet(), io: { now } }));
    assert.ok(world.sandbox.tokenRequests() === 1 && world.sandbox.seen.length <= 3, what);
  });
}

test('threat 24: a logout that a locked keychain did not carry out is none, and says so', async (t) => {
  await using world = await World.create();
  const { keyring, env } = await withKeyring(t);
  succeeds(await world.run(['login', '--app'], { env }));
  const stored = nothingSet(env);
  await keyring.lock();
  const refused = await world.run(['logout'], stored);
  fails(refused, 8, /locked/);
  assert.doesNotMatch(refused.stderr + refused.stdout, /Logged out/);
  await keyring.crash();
  fails(await world.run(['logout', '--all'], stored), 8, /keychain/);
  await keyring.start();
  succeeds(await world.run(CALL, stored));
  succeeds(await world.run(['logout'], stored));
  assert.equal(await keyring.count(), 0);
  fails(await world.run(CALL, stored), 3, /not logged in/);
});

test('threat 24: a logout that could not remove the file is none, and says so', async () => {
  await using world = await loggedIn();
  const before = treeOf(world.home);
  const words = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'inject=unlink,unlinkat:error=EPERM'];
  const [file = '', ...args] = [...words, process.execPath, BIN, 'logout'];
  const refused = await outcome(spawn(file, args, { env: world.env(NOTHING_SET) }));
  fails(refused, 8, /cannot remove .*: the operation is not permitted/);
  assert.doesNotMatch(refused.stderr, /Logged out/);
  for (const [name, content] of Object.entries(before)) assert.equal(treeOf(world.home)[name], content);
  succeeds(await world.podio(CALL, nothingSet()));
});

test('threat 24: a logout leaves no token behind, in no manager and in no copy', async (t) => {
  await using world = await loggedIn();
  const { keyring, env } = await withKeyring(t);
  succeeds(
    await world.run(['login', '--app', '--name', 'twice'], {
      env: { ...env, PODIO_SESSION_MANAGER: 'file' },
    }),
  );
  // The environment names another manager for a while, and so logs in once more.
  succeeds(await world.run(['token'], { env }));
  assert.equal(await keyring.count(), 1);
  const [session = ''] = filesHolding(world.home, world.sandbox.secrets);
  const text = readFileSync(join(world.home, session), 'utf8');
  writeFileSync(join(world.home, session), text.slice(0, -3));
  fails(await world.podio(CALL, nothingSet()), 8, /damaged/);
  // As a kill leaves it in the midst of a rescue from a keychain that failed.
  writeFileSync(join(world.home, session.replace(/json$/, 'recovery.json.new')), text);
  succeeds(await world.run(['logout'], nothingSet({ ...env, PODIO_SESSION_MANAGER: undefined })));
  assert.deepEqual([await keyring.count(), filesHolding(world.home, world.sandbox.secrets)], [0, []]);
});

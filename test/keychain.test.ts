import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Keychain } from '../src/session/keychain.ts';
import { acquireLock } from '../src/session/lock.ts';
import { identityKey } from '../src/values/identity.ts';
import { EMPTY_OAUTH } from '../src/values/podio-oauth.ts';
import type { AuthType } from '../src/values/session-manager.ts';
import {
  account,
  app,
  appEntry,
  buildHelper,
  removeHelper,
  root,
  scope,
  session,
  setUp,
  storeError,
} from './support/keychain.ts';

before(buildHelper);
after(removeHelper);

describe('A session in the keychain', () => {
  test('comes back as it was, is found by secret-tool, and is in no file', async (t) => {
    const { manager, keyring, files } = await setUp(t);
    const oauth = session('1', { clientSecret: 'ä&=+%"\'\n  ß 😀\n', scope: 'global:all' });
    await manager.set(oauth, app);
    assert.deepEqual(await manager.get(app), oauth);
    assert.match((await keyring.lookup(appEntry)) ?? '', /^\{"version":1,[\x20-\x7e]*"access-1"/);
    assert.deepEqual(await manager.list(), [app]);
    assert.equal(manager.place(), 'the keychain (service podio)');
    assert.deepEqual(
      files().map(({ name }) => name),
      [`${identityKey({ ...scope, ...app })}.keychain.json`],
    );
    for (const { text, mode } of files()) {
      assert.doesNotMatch(text, /access-|refresh-|secret/);
      assert.equal(mode, 0o600);
    }
  });

  test('is reached by the helper as source too, as it is where podio is built', async (t) => {
    const { keyring } = await setUp(t);
    const keychain = new Keychain({ env: keyring.env });
    await keychain.set('entry', 'Grüße,\n😀\n');
    assert.equal(await keychain.get('entry'), 'Grüße,\n😀\n');
  });

  test('is told apart by identity, API origin and API key', async (t) => {
    const { manager, as } = await setUp(t);
    const password: AuthType = { type: 'password', identifier: 'ada lövelace@example.com' };
    await manager.set(session('app'), app);
    await manager.set(session('password'), password);
    await as({ clientId: 'other' }).set(session('other'), app);
    await as({ apiUrl: 'http://127.0.0.1:1' }).set(session('local'), app);
    assert.equal((await manager.get(app)).accessToken, 'access-app');
    assert.equal((await manager.get(password)).accessToken, 'access-password');
    assert.equal((await as({ clientId: 'other' }).get(app)).accessToken, 'access-other');
    const listed = (await manager.list()).map(({ type }) => type);
    assert.deepEqual(listed.sort(), ['app', 'password']);
  });

  test('is forgotten without a trace', async (t) => {
    const { manager, keyring, files } = await setUp(t);
    await manager.set(session('1'), app);
    await manager.set(EMPTY_OAUTH, app);
    await manager.set(EMPTY_OAUTH, app);
    assert.deepEqual(await manager.get(app), EMPTY_OAUTH);
    assert.deepEqual(await manager.list(), []);
    assert.deepEqual(files(), []);
    assert.equal(await keyring.count(), 0);
  });

  test('is not taken for ours where podio has not noted it', async (t) => {
    const { manager, keychain } = await setUp(t);
    await keychain.set(appEntry, 'somebody else wrote this');
    assert.deepEqual(await manager.get(app), EMPTY_OAUTH);
  });

  test('that something has removed is "not found", until the next login', async (t) => {
    const { manager, keyring } = await setUp(t);
    await manager.set(session('1'), app);
    await keyring.remove(appEntry);
    await assert.rejects(
      manager.get(app),
      storeError(/app:123456 was not found in the keychain/, /podio login/),
    );
    assert.equal(await keyring.count(), 0, 'looking closer left nothing in the keychain');
    await manager.set(session('2'), app);
    assert.equal((await manager.get(app)).accessToken, 'access-2');
  });

  test('that is damaged or another identity’s is refused, until the next login', async (t) => {
    const { manager, keychain, keyring } = await setUp(t);
    const other: AuthType = { type: 'app', identifier: '9' };
    await manager.set(session('other'), other);
    for (const record of ['refresh-SECRET', (await keyring.lookup(account(other))) ?? '']) {
      await manager.set(session('1'), app);
      await keychain.set(appEntry, record);
      await assert.rejects(manager.get(app), storeError(/^the stored session is [^{]*$/, /podio login/));
    }
    await manager.set(session('2'), app);
    assert.equal((await manager.get(app)).accessToken, 'access-2');
  });

  test('is kept for each of 50 who log in at once', async (t) => {
    const { manager } = await setUp(t);
    const all = Array.from({ length: 50 }, (_, i): AuthType => ({ type: 'app', identifier: `${i}` }));
    await Promise.all(all.map((one) => manager.set(session(one.identifier), one)));
    assert.equal((await manager.list()).length, 50);
    const kept = await Promise.all(all.map((one) => manager.get(one)));
    assert.deepEqual(
      kept.map(({ accessToken }) => accessToken),
      all.map(({ identifier }) => `access-${identifier}`),
    );
  });

  test('is read while others hold the locks, and written by one at a time', async (t) => {
    const { manager, as, locks } = await setUp(t);
    await manager.set(session('1'), app);
    const releaseWriters = await acquireLock(join(locks, 'keychain.lock'));
    const release = await manager.lock(app);
    const done: string[] = [];
    const others = as({})
      .set(session('2'), app)
      .then(() => done.push('other'));
    const own = manager.set(session('3'), app).then(() => done.push('holder'));
    for (let i = 0; i < 3; i++) assert.equal((await as({}).get(app)).accessToken, 'access-1');
    assert.deepEqual(done, []);
    releaseWriters();
    await own;
    await release();
    await others;
    assert.deepEqual(done, ['holder', 'other']);
  });
});

test('The locks lie where no variable moves them, and under HOME for a user without an entry', () => {
  const module = pathToFileURL(join(root, 'src/session/managers/keychain-locks.ts')).href;
  const env = { PATH: process.env.PATH, HOME: '/elsewhere', XDG_DATA_HOME: '/elsewhere/data' };
  const lockFolder = (before: string) => {
    const script = `import(${JSON.stringify(module)}).then((m) => { ${before}; process.stdout.write(m.userLockFolder()) })`;
    return spawnSync(process.execPath, ['--import', 'tsx', '-e', script], {
      cwd: root,
      env,
      encoding: 'utf8',
    }).stdout;
  };
  assert.equal(lockFolder(''), join(userInfo().homedir, '.local/share/podio/locks'));
  // Only root can become a user whom nobody knows.
  if (process.getuid?.() !== 0) return;
  assert.equal(lockFolder('process.setuid(54321)'), '/elsewhere/.local/share/podio/locks');
});

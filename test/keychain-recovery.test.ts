import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Keychain } from '../src/session/keychain.ts';
import { identityKey } from '../src/values/identity.ts';
import { EMPTY_OAUTH } from '../src/values/podio-oauth.ts';
import {
  app,
  appEntry,
  buildHelper,
  failBetween,
  helper,
  removeHelper,
  scope,
  session,
  setUp,
  storeError,
} from './support/keychain.ts';

before(buildHelper);
after(removeHelper);

describe('row 8: a renewed session that the keychain does not take', () => {
  test('waits in a file that is named, is used from there, and returns by itself', async (t) => {
    const { manager, as, keyring, files, recovery } = await setUp(t);
    await manager.set(session('1'), app);
    await failBetween(keyring, manager, session('2'), recovery);
    assert.deepEqual(files().find(({ name }) => name.endsWith('.recovery.json'))?.mode, 0o600);
    assert.equal((await as({}).get(app)).accessToken, 'access-2');
    assert.equal(files().length, 2, 'it stays as long as the keychain is away');
    await keyring.start();
    assert.equal((await as({}).get(app)).accessToken, 'access-2');
    assert.match((await keyring.lookup(appEntry)) ?? '', /"access-2"/);
    assert.deepEqual(
      files()
        .map(({ name }) => name)
        .filter((name) => name.includes('recovery')),
      [],
    );
    assert.equal((await as({}).get(app)).accessToken, 'access-2');
  });

  test('gives way to a newer one, and to a logout', async (t) => {
    const { manager, keyring, files, recovery } = await setUp(t);
    await manager.set(session('1'), app);
    await failBetween(keyring, manager, session('2'), recovery);
    await assert.rejects(manager.set(EMPTY_OAUTH, app), storeError(/no program offers one/));
    assert.equal((await manager.get(app)).accessToken, 'access-2');
    await assert.rejects(manager.set(session('3'), app), storeError(/is kept in/));
    assert.equal((await manager.get(app)).accessToken, 'access-3');
    await keyring.start();
    await manager.set(session('4'), app);
    assert.equal((await manager.get(app)).accessToken, 'access-4');
    assert.equal(files().length, 1);
    await keyring.crash();
    await assert.rejects(manager.set(session('5'), app), storeError(/is kept in/));
    await keyring.start();
    await manager.set(EMPTY_OAUTH, app);
    assert.deepEqual(files(), []);
  });

  test('is taken up where the process that wrote the file was killed before it had its name', async (t) => {
    const { manager, as, keyring, files, recovery } = await setUp(t);
    await manager.set(session('1'), app);
    await failBetween(keyring, manager, session('2'), recovery);
    renameSync(recovery, `${recovery}.new`);
    await keyring.start();
    const release = await as({}).lock(app);
    await release();
    assert.equal((await as({}).get(app)).accessToken, 'access-2');
    assert.match((await keyring.lookup(appEntry)) ?? '', /"access-2"/);
    assert.equal(files().length, 1);
  });

  test('is not taken up where it was killed before all of it was there', async (t) => {
    const { manager, files, recovery } = await setUp(t);
    await manager.set(session('1'), app);
    for (const text of [' '.repeat(8192), '{"version":1,"access_token":"acc']) {
      writeFileSync(`${recovery}.new`, text, { mode: 0o600 });
      const release = await manager.lock(app);
      await release();
      assert.equal((await manager.get(app)).accessToken, 'access-1');
      assert.equal(files().length, 1);
    }
  });

  test('is not one that was never there: a first login just fails', async (t) => {
    const { manager, keyring, files } = await setUp(t);
    await keyring.crash();
    await assert.rejects(manager.set(session('1'), app), storeError(/no program offers one$/));
    assert.deepEqual(files(), []);
    await keyring.start();
    assert.deepEqual(await manager.get(app), EMPTY_OAUTH);
  });
});

describe('Nothing half done is left behind', () => {
  test('where a first login cannot be noted', async (t) => {
    const { manager, keyring, files, folder } = await setUp(t);
    const inTheWay = join(folder, `${identityKey({ ...scope, ...app })}.keychain.json.new`);
    mkdirSync(inTheWay, { recursive: true, mode: 0o700 });
    await assert.rejects(manager.set(session('1'), app), storeError(/keychain\.json/));
    assert.equal(await keyring.count(), 0);
    rmSync(inTheWay, { recursive: true });
    assert.deepEqual(files(), []);
  });

  test('where a newer session is in the keychain and its recovery file could still be the older one', async (t) => {
    const { keyring, as, recovery } = await setUp(t);
    let inFileWhenKept = '';
    class WatchedKeychain extends Keychain {
      override async set(entry: string, secret: string): Promise<void> {
        await super.set(entry, secret);
        inFileWhenKept = existsSync(recovery) ? readFileSync(recovery, 'utf8') : '';
      }
    }
    const manager = as({}, new WatchedKeychain({ env: keyring.env, helper }));
    await manager.set(session('1'), app);
    await failBetween(keyring, manager, session('2'), recovery);
    await keyring.start();
    await manager.set(session('3'), app);
    assert.match(inFileWhenKept, /"access-3"/);
    assert.equal(existsSync(recovery), false);
  });

  test('and a note that is damaged or lies is passed over', async (t) => {
    const { manager, folder } = await setUp(t);
    await manager.set(session('1'), app);
    const [note = ''] = readdirSync(folder);
    writeFileSync(join(folder, 'x.keychain.json'), '{"type":', { mode: 0o600 });
    writeFileSync(join(folder, 'y.keychain.json'), 'null', { mode: 0o600 });
    cpSync(join(folder, note), join(folder, `z${note}`));
    assert.deepEqual(await manager.list(), [app]);
  });
});

import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Keychain } from '../src/session/keychain.ts';
import { EMPTY_OAUTH } from '../src/values/podio-oauth.ts';
import type { AuthType } from '../src/values/session-manager.ts';
import {
  account,
  app,
  buildHelper,
  busyHelper,
  helper,
  helpers,
  installKeytar,
  removeHelper,
  root,
  session,
  setUp,
  startFor,
  storeError,
  temporaryFolder,
  until,
  within,
} from './support/keychain.ts';
import { inTime } from './support/promptly.ts';

before(buildHelper);
after(removeHelper);

describe('row 8: where the keychain does not work, every operation ends in time and says why:', () => {
  test('locked', async (t) => {
    const { manager, keyring, files } = await setUp(t);
    const removed: AuthType = { type: 'app', identifier: 'removed' };
    await manager.set(session('1'), app);
    await manager.set(session('2'), removed);
    await keyring.remove(account(removed));
    await keyring.lock();
    const locked = storeError(/^the keychain is locked$/, /unlock it .*--session-manager file/);
    await assert.rejects(manager.get(app), locked);
    await assert.rejects(manager.get(removed), locked);
    await assert.rejects(manager.reserve(), locked);
    await assert.rejects(manager.set(EMPTY_OAUTH, app), locked);
    await assert.rejects(manager.set(session('2'), { type: 'app', identifier: 'new' }), locked);
    assert.equal(files().length, 2);
    await keyring.crash();
    await keyring.start();
    assert.equal((await manager.get(app)).accessToken, 'access-1');
  });

  test('locked, asked by 20 at once', async (t) => {
    const { manager, keychain, keyring } = await setUp(t);
    await manager.set(session('1'), app);
    await keyring.lock();
    const locked = storeError(/is locked$/);
    const ask = (i: number) => assert.rejects(i % 2 ? manager.get(app) : keychain.probe(), locked);
    await within(4_000, Promise.all(Array.from({ length: 20 }, (_, i) => ask(i))));
  });

  test('stopped: killed after three seconds, with nothing left running', async (t) => {
    const { manager, keyring } = await setUp(t);
    await manager.set(session('1'), app);
    keyring.stop();
    const silent = storeError(/^the keychain did not answer within 3 s$/, /--session-manager file/);
    await within(8_000, assert.rejects(manager.get(app), silent));
    await within(100, assert.rejects(manager.reserve(), silent));
    await until(() => helpers().length === 0, 500);
  });

  test('crashing while it is asked', async (t) => {
    const { manager, keyring } = await setUp(t);
    await manager.set(session('1'), app);
    keyring.stop();
    const answer = storeError(/no program offers one$|did not answer within 3 s$/);
    const ended = within(8_000, assert.rejects(manager.get(app), answer));
    await busyHelper();
    await keyring.crash();
    await ended;
    await until(() => helpers().length === 0, 500);
  });

  test('crashed, denied, without D-Bus', async (t) => {
    const none = /--session-manager file/;
    const { manager, keyring } = await setUp(t);
    await manager.set(session('1'), app);
    await keyring.crash();
    await within(500, assert.rejects(manager.get(app), storeError(/no program offers one$/, none)));
    await keyring.close();
    await within(500, assert.rejects(manager.get(app), storeError(/there is no D-Bus session$/, none)));
    const denied = await setUp(t, { denied: true });
    await within(500, assert.rejects(denied.manager.reserve(), storeError(/denied access$/, none)));
  });

  test('without the helper, without keytar, without libsecret', async (t) => {
    const folder = temporaryFolder(t);
    const keychain = new Keychain({ env: {}, helper: join(folder, 'helper.cjs') });
    const get = () => within(500, keychain.get('entry'));
    await assert.rejects(get(), storeError(/the helper process broke off$/));
    cpSync(helper, join(folder, 'helper.cjs'));
    await assert.rejects(get(), storeError(/keytar is not installed$/));
    // As where its addon does not load: the loader is there and finds none.
    installKeytar(folder, readFileSync(join(root, 'node_modules/keytar/lib/keytar.js'), 'utf8'));
    await assert.rejects(get(), storeError(/keytar does not load$/, /libsecret/));
  });

  test('in the words of macOS, Windows and what else there is on Linux', async (t) => {
    const folder = temporaryFolder(t);
    cpSync(helper, join(folder, 'helper.cjs'));
    installKeytar(folder, 'exports.getPassword = async (service, account) => { throw new Error(account); };');
    for (const [theirs, ours] of THEIR_WORDS) {
      const keychain = new Keychain({ env: {}, helper: join(folder, 'helper.cjs') });
      await assert.rejects(keychain.get(theirs), storeError(ours));
    }
  });

  test('busy: waited for while it shows that it lives', async (t) => {
    const keyring = await startFor(t);
    const folder = temporaryFolder(t);
    cpSync(helper, join(folder, 'helper.cjs'));
    installKeytar(
      folder,
      "exports.getPassword = () => new Promise((done) => setTimeout(done, 2_000, 'late'));",
    );
    keyring.stop();
    const asked = new Keychain({ env: keyring.env, helper: join(folder, 'helper.cjs') }).get('entry');
    setTimeout(() => keyring.resume(), 2_200);
    assert.equal(await asked, 'late');
  });

  test('busy without end: killed all the same', async (t) => {
    const program = join(temporaryFolder(t), 'helper.cjs');
    writeFileSync(program, 'setInterval(() => process.stdout.write("\\n"), 100);');
    const asked = new Keychain({ env: {}, helper: program }).get('entry');
    await assert.rejects(inTime(asked, 30), storeError(/did not answer/));
  });

  test('losing what it is given, or keeping what it should forget', async (t) => {
    const folder = temporaryFolder(t);
    cpSync(helper, join(folder, 'helper.cjs'));
    const keychain = new Keychain({ env: {}, helper: join(folder, 'helper.cjs') });
    const silently = 'exports.setPassword = exports.deletePassword = async () => false;';
    for (const kept of [null, 'old']) {
      installKeytar(folder, `${silently} exports.getPassword = async () => ${JSON.stringify(kept)};`);
      await assert.rejects(keychain.set('entry', 'new'), storeError(/^the keychain failed$/));
      await assert.rejects(keychain.delete('entry'), storeError(/^the keychain failed$/));
    }
  });
});

const THEIR_WORDS: readonly (readonly [string, RegExp])[] = [
  ['User interaction is not allowed.', /is locked$/],
  ['Cannot get secret of a locked object', /is locked$/],
  ['User canceled the operation.', /denied access$/],
  ['The user name or passphrase you entered is not correct.', /denied access$/],
  ['Access is denied.', /denied access$/],
  ['A default keychain could not be found.', /it holds no keyring yet$/],
  ['Object does not exist at path “/org/freedesktop/secrets/collection/login”', /it holds no keyring yet$/],
  ['The stub received bad data.', /takes no entry of this length$/],
  ['Timeout was reached', /did not answer within 3 s$/],
  [
    'Error calling StartServiceByName: Process org.freedesktop.secrets exited with status 1',
    /no program offers one$/,
  ],
  ['Cannot autolaunch D-Bus without X11 $DISPLAY', /there is no D-Bus session$/],
  ['The given address is empty', /there is no D-Bus session$/],
  ['Etwas Unerwartetes mit SECRET', /^the keychain failed$/],
];

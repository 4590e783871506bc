import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'rolldown';
import { StoreError } from '../src/errors.ts';
import { Keychain } from '../src/session/keychain.ts';
import { acquireLock } from '../src/session/lock.ts';
import { KeychainSessionManager, keychainAccount } from '../src/session/managers/keychain.ts';
import { type Identity, identityKey } from '../src/values/identity.ts';
import { EMPTY_OAUTH, type PodioOAuth } from '../src/values/podio-oauth.ts';
import type { AuthType } from '../src/values/session-manager.ts';
import { type Keyring, type KeyringOptions, startKeyring } from './support/keyring.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const scope = { apiUrl: 'https://api.podio.com', clientId: 'my-client' };
const app: AuthType = { type: 'app', identifier: '123456' };
const appEntry = account(app);

/** The helper in the form in which the CLI has it, in a folder of its own where nothing but keytar is at hand. */
const helperFolder = mkdtempSync(join(tmpdir(), 'podio-helper-'));
const helper = join(helperFolder, 'keychain-helper.cjs');

before(async () => {
  const input = join(root, 'src/session/keychain-helper.ts');
  await build({ input, external: ['keytar'], platform: 'node', output: { file: helper, format: 'cjs' } });
  symlinkSync(join(root, 'node_modules'), join(helperFolder, 'node_modules'));
});
after(() => rmSync(helperFolder, { recursive: true }));

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

describe('Where the keychain does not work, every operation ends in time and says why:', () => {
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
    await within(3_600, assert.rejects(manager.get(app), silent));
    await within(100, assert.rejects(manager.reserve(), silent));
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

describe('A renewed session that the keychain does not take', () => {
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

describe('The helper process', () => {
  test('shows no secret to others, and takes from the environment what leads to the keychain alone', async (t) => {
    const keyring = await startFor(t);
    const env = { ...keyring.env, NODE_OPTIONS: '--no-warnings', PODIO_CLIENT_SECRET: 'SECRET' };
    keyring.stop();
    const saved = new Keychain({ env, helper }).set('entry', 'SECRET');
    const pid = await busyHelper();
    const read = (what: string) => readFileSync(`/proc/${pid}/${what}`, 'utf8').replaceAll('\0', ' ');
    assert.doesNotMatch(read('cmdline') + read('environ'), /SECRET|NODE_OPTIONS/);
    assert.match(read('environ'), /DBUS_SESSION_BUS_ADDRESS=/);
    const [, , group] = read('stat')
      .replace(/^.*\) /, '')
      .split(' ');
    assert.equal(group, pid, 'Ctrl-C would reach it');
    keyring.resume();
    await saved;
  });

  test('ends with its parent when it reads', async (t) => {
    const keyring = await startFor(t);
    keyring.stop();
    const parent = startParent(keyring, "get('entry')");
    await busyHelper();
    parent.kill('SIGKILL');
    await until(() => helpers().length === 0, 500);
  });

  test('finishes what it saves when its parent is killed', async (t) => {
    const keyring = await startFor(t);
    keyring.stop();
    const parent = startParent(keyring, "set('entry', 'kept')");
    await busyHelper();
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    keyring.resume();
    await until(() => helpers().length === 0, 3_500);
    assert.equal(await keyring.lookup('entry'), 'kept');
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

/** A manager with a keyring, and all that it keeps, of its own. */
async function setUp(t: TestContext, options: KeyringOptions = {}) {
  const keyring = await startFor(t, options);
  const place = temporaryFolder(t);
  const [folder, locks] = [join(place, 'sessions'), join(place, 'locks')];
  mkdirSync(locks, { mode: 0o700 });
  const keychain = new Keychain({ env: keyring.env, helper });
  const as = (other: Partial<typeof scope>, keychain = new Keychain({ env: keyring.env, helper })) =>
    new KeychainSessionManager({ ...scope, ...other, folder, lockFolder: locks, keychain });
  const recovery = join(folder, `${identityKey({ ...scope, ...app })}.recovery.json`);
  return { keyring, keychain, folder, locks, recovery, as, manager: as({}), files: () => filesIn(folder) };
}

async function startFor(t: TestContext, options: KeyringOptions = {}): Promise<Keyring> {
  const keyring = await startKeyring(options);
  t.after(() => keyring.close());
  return keyring;
}

/** A renewal during which the keyring crashes: after the place was reserved, before the session is saved. */
async function failBetween(
  keyring: Keyring,
  manager: KeychainSessionManager,
  renewed: PodioOAuth,
  recovery: string,
): Promise<void> {
  const release = await manager.lock(app);
  await manager.reserve();
  await keyring.crash();
  const named = new RegExp(`no program offers one; the renewed session is kept in ${recovery} until`);
  await assert.rejects(manager.set(renewed, app), storeError(named, /gnome-keyring/));
  await release();
}

/** A keytar of this content where a helper in the folder finds it. */
function installKeytar(folder: string, content: string): void {
  const place = join(folder, 'node_modules/keytar');
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'index.js'), content);
}

/** Another process that uses the keychain. */
function startParent(keyring: Keyring, operation: string): ChildProcess {
  const module = pathToFileURL(join(root, 'src/session/keychain.ts')).href;
  const options = JSON.stringify({ env: keyring.env, helper });
  const script = `import(${JSON.stringify(module)}).then((m) => new m.Keychain(${options}).${operation})`;
  return spawn(process.execPath, ['--import', 'tsx', '-e', script], { cwd: root, stdio: 'ignore' });
}

/** The process ids of the helpers of these tests: only they work in that folder. */
function helpers(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && workingFolder(name) === helperFolder);
}

/** The process id of a helper that has read its request: keytar is loaded after it. */
function busyHelper(): Promise<string> {
  const isBusy = (pid: string) => readFileSync(`/proc/${pid}/maps`, 'utf8').includes('keytar.node');
  return until(() => helpers().find(isBusy), 2_000);
}

function workingFolder(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function session(name: string, more: Partial<PodioOAuth> = {}): PodioOAuth {
  return {
    ...EMPTY_OAUTH,
    accessToken: `access-${name}`,
    refreshToken: `refresh-${name}`,
    ref: { type: 'app', id: 123456 },
    expiresIn: 28_800,
    obtainedAt: 1_700_000_000_000,
    clientSecret: 'client secret',
    appToken: undefined,
    ...more,
  };
}

function account(authType: AuthType, other: Partial<Identity> = {}): string {
  return keychainAccount({ ...scope, ...authType, ...other });
}

/** What is in a folder and below; nothing where there is no folder. */
function filesIn(folder: string): { name: string; text: string; mode: number }[] {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return [];
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  return readdirSync(folder).map((name) => {
    const file = join(folder, name);
    return { name, text: readFileSync(file, 'utf8'), mode: statSync(file).mode & 0o777 };
  });
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'podio-keychain-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function storeError(message: RegExp, hint = /./): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StoreError, String(error));
    assert.match(error.message, message);
    assert.match(error.hint ?? '', hint);
    assert.doesNotMatch(
      `${error.message} ${error.hint} ${error.cause ?? ''}`,
      /not logged in|access-|refresh-|SECRET/,
    );
    return true;
  };
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work;
  } finally {
    const took = Math.round(performance.now() - start);
    assert.ok(took <= milliseconds, `it took ${took} ms`);
  }
}

/** Looks until there is something to see; fails when that takes too long. */
async function until<T>(look: () => T | undefined | false, milliseconds: number): Promise<T> {
  for (const start = performance.now(); performance.now() - start < milliseconds; await pause(10)) {
    const seen = look();
    if (seen) return seen;
  }
  throw new Error(`it did not come about within ${milliseconds} ms: ${look}`);
}

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
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
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'rolldown';
import { StoreError } from '../../src/errors.ts';
import { Keychain } from '../../src/session/keychain.ts';
import { KeychainSessionManager, keychainAccount } from '../../src/session/managers/keychain.ts';
import { type Identity, identityKey } from '../../src/values/identity.ts';
import { EMPTY_OAUTH, type PodioOAuth } from '../../src/values/podio-oauth.ts';
import type { AuthType } from '../../src/values/session-manager.ts';
import { type Keyring, type KeyringOptions, startKeyring } from './keyring.ts';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const scope = { apiUrl: 'https://api.podio.com', clientId: 'my-client' };
export const app: AuthType = { type: 'app', identifier: '123456' };
export const appEntry = account(app);

/** The helper in the form in which the CLI has it, in a folder of its own where nothing but keytar is at hand. */
const helperFolder = mkdtempSync(join(tmpdir(), 'podio-helper-'));
export const helper = join(helperFolder, 'keychain-helper.cjs');

/** Before the first test. */
export async function buildHelper(): Promise<void> {
  const input = join(root, 'src/session/keychain-helper.ts');
  await build({ input, external: ['keytar'], platform: 'node', output: { file: helper, format: 'cjs' } });
  symlinkSync(join(root, 'node_modules'), join(helperFolder, 'node_modules'));
}

/** After the last. */
export function removeHelper(): void {
  rmSync(helperFolder, { recursive: true });
}

/** A manager with a keyring, and all that it keeps, of its own. */
export async function setUp(t: TestContext, options: KeyringOptions = {}) {
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

export async function startFor(t: TestContext, options: KeyringOptions = {}): Promise<Keyring> {
  const keyring = await startKeyring(options);
  t.after(() => keyring.close());
  return keyring;
}

/** A renewal during which the keyring crashes: after the place was reserved, before the session is saved. */
export async function failBetween(
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
export function installKeytar(folder: string, content: string): void {
  const place = join(folder, 'node_modules/keytar');
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'index.js'), content);
}

/** Another process that uses the keychain. */
export function startParent(keyring: Keyring, operation: string): ChildProcess {
  const module = pathToFileURL(join(root, 'src/session/keychain.ts')).href;
  const options = JSON.stringify({ env: keyring.env, helper });
  const script = `import(${JSON.stringify(module)}).then((m) => new m.Keychain(${options}).${operation})`;
  return spawn(process.execPath, ['--import', 'tsx', '-e', script], { cwd: root, stdio: 'ignore' });
}

/** The process ids of the helpers of these tests: only they work in that folder. */
export function helpers(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && workingFolder(name) === helperFolder);
}

/** The process id of a helper that has read its request: keytar is loaded after it. */
export function busyHelper(): Promise<string> {
  const isBusy = (pid: string) => readFileSync(`/proc/${pid}/maps`, 'utf8').includes('keytar.node');
  return until(() => helpers().find(isBusy), 2_000);
}

export function workingFolder(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

export function session(name: string, more: Partial<PodioOAuth> = {}): PodioOAuth {
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

export function account(authType: AuthType, other: Partial<Identity> = {}): string {
  return keychainAccount({ ...scope, ...authType, ...other });
}

/** What is in a folder and below; nothing where there is no folder. */
export function filesIn(folder: string): { name: string; text: string; mode: number }[] {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return [];
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  return readdirSync(folder).map((name) => {
    const file = join(folder, name);
    return { name, text: readFileSync(file, 'utf8'), mode: statSync(file).mode & 0o777 };
  });
}

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'podio-keychain-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

export function storeError(message: RegExp, hint = /./): (error: unknown) => boolean {
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

export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work;
  } finally {
    const took = Math.round(performance.now() - start);
    assert.ok(took <= milliseconds, `it took ${took} ms`);
  }
}

/** Looks until there is something to see; fails when that takes too long. */
export async function until<T>(look: () => T | undefined | false, milliseconds: number): Promise<T> {
  for (const start = performance.now(); performance.now() - start < milliseconds; await pause(10)) {
    const seen = look();
    if (seen) return seen;
  }
  throw new Error(`it did not come about within ${milliseconds} ms: ${look}`);
}

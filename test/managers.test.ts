import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { Keychain } from '../src/session/keychain.ts';
import { FileSessionManager } from '../src/session/managers/file.ts';
import { KeychainSessionManager } from '../src/session/managers/keychain.ts';
import { MemorySessionManager } from '../src/session/managers/memory.ts';
import { Session } from '../src/session/session.ts';
import { EMPTY_OAUTH, isEmpty, type PodioOAuth } from '../src/values/podio-oauth.ts';
import type { AuthType, SessionManager } from '../src/values/session-manager.ts';
import { startKeyring } from './support/keyring.ts';

const SCOPE = { apiUrl: 'https://api.podio.com', clientId: 'client' };

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'podio-manager-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const MANAGERS: Readonly<Record<string, (t: TestContext) => Promise<SessionManager>>> = {
  memory: async () => new MemorySessionManager(),
  file: async (t) => new FileSessionManager({ ...SCOPE, folder: join(folderFor(t), 'sessions') }),
  keychain: async (t) => {
    const keyring = await startKeyring();
    t.after(() => keyring.close());
    const keychain = new Keychain({ env: keyring.env });
    return new KeychainSessionManager({ ...SCOPE, folder: folderFor(t), lockFolder: folderFor(t), keychain });
  },
};

const ada: AuthType = { type: 'password', identifier: 'ada+ß@example.com' };
const app: AuthType = { type: 'app', identifier: '123456' };

function oauth(mark: string): PodioOAuth {
  return {
    accessToken: `access-${mark}`,
    refreshToken: `refresh-${mark}`,
    scope: 'global:all',
    ref: { type: 'user', id: 42 },
    expiresIn: 28_800,
    obtainedAt: 1_795_000_000_000,
    clientSecret: `& = + % " ' ü 🔑 ${mark}`,
    appToken: `token-${mark}`,
  };
}

for (const [name, create] of Object.entries(MANAGERS)) {
  describe(`the ${name} manager`, () => {
    test('answers the empty PodioOAuth where it has no session', async (t) => {
      assert.ok(isEmpty(await (await create(t)).get(app)));
    });

    test('gives back each session as it was stored, and mixes none up', async (t) => {
      const manager = await create(t);
      await manager.set(oauth('a'), app);
      await manager.set(oauth('b'), ada);
      await manager.set(oauth('c'), app);
      assert.deepEqual({ ...(await manager.get(app)) }, oauth('c'));
      assert.deepEqual({ ...(await manager.get(ada)) }, oauth('b'));
      assert.deepEqual((await manager.list?.())?.map(({ type }) => type).toSorted(), ['app', 'password']);
    });

    test('forgets a session when it is given the empty PodioOAuth, and can do so twice', async (t) => {
      const manager = await create(t);
      await manager.set(oauth('a'), app);
      await manager.set(EMPTY_OAUTH, app);
      await manager.set(EMPTY_OAUTH, app);
      assert.ok(isEmpty(await manager.get(app)));
      assert.deepEqual(await manager.list?.(), []);
    });

    test('lets one writer at a time change a session', async (t) => {
      const manager = await create(t);
      await manager.set({ ...oauth('a'), expiresIn: 0 }, app);
      const increment = () =>
        new Session({ manager, authType: app }).update(async (read) => {
          const stored = await read();
          return async () => ({ ...stored, expiresIn: stored.expiresIn + 1 });
        });
      await Promise.all(Array.from({ length: 8 }, increment));
      assert.equal((await manager.get(app)).expiresIn, 8);
    });

    test('keeps what was there when bringing something new fails', async (t) => {
      const manager = await create(t);
      const session = new Session({ manager, authType: app });
      await manager.set(oauth('a'), app);
      const failing = session.update(async () => () => Promise.reject(new Error('no answer')));
      await assert.rejects(failing, /no answer/);
      assert.deepEqual({ ...(await manager.get(app)) }, oauth('a'));
      await session.update(async () => async () => oauth('b'));
      assert.equal((await manager.get(app)).accessToken, 'access-b');
    });
  });
}

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { Keychain } from '../src/session/keychain.ts';
import { FileSessionManager } from '../src/session/managers/file.ts';
import { KeychainSessionManager } from '../src/session/managers/keychain.ts';
import { MemorySessionManager } from '../src/session/managers/memory.ts';
import { RedisSessionManager } from '../src/session/managers/redis.ts';
import { sessionManagerContract } from '../src/testing.ts';
import type { AuthType } from '../src/values/session-manager.ts';
import { startKeyring } from './support/keyring.ts';
import { RedisServer } from './support/redis.ts';

const SCOPE = { apiUrl: 'https://api.podio.com', clientId: 'client' };
const APP: AuthType = { type: 'app', identifier: '123456' };

const root = mkdtempSync(join(tmpdir(), 'podio-managers-'));
after(() => rmSync(root, { recursive: true, force: true }));

function newFolder(): string {
  return mkdtempSync(join(root, 'store-'));
}

describe('the memory manager', () => sessionManagerContract(() => new MemorySessionManager()));

describe('the file manager', () => {
  const folders = new WeakMap<object, string>();
  const open = (folder: string) => {
    const manager = new FileSessionManager({ ...SCOPE, folder });
    folders.set(manager, folder);
    return manager;
  };
  const folderOf = (manager: object) => folders.get(manager) ?? '';
  sessionManagerContract(() => open(join(newFolder(), 'sessions')), {
    reopen: (manager) => open(folderOf(manager)),
    breakStore: (manager) => {
      rmSync(folderOf(manager), { recursive: true });
      mkdirSync(folderOf(manager), { mode: 0o700 });
      // Not even root reads a folder where a file is expected.
      const { place } = open(folderOf(manager));
      mkdirSync(place.call(manager, APP).replace('the file ', ''));
    },
  });
});

describe('the keychain manager', () => {
  let keyring: Awaited<ReturnType<typeof startKeyring>>;
  let made = 0;
  before(async () => {
    keyring = await startKeyring();
  });
  after(() => keyring.close());
  sessionManagerContract(
    () => {
      made += 1;
      return new KeychainSessionManager({
        apiUrl: SCOPE.apiUrl,
        clientId: `client-${made}`,
        folder: newFolder(),
        lockFolder: newFolder(),
        keychain: new Keychain({ env: keyring.env }),
      });
    },
    { atOnce: 4 },
  );
});

describe('the Redis manager', () => {
  let server: RedisServer;
  let made = 0;
  before(async () => {
    server = await RedisServer.start();
  });
  after(() => server[Symbol.asyncDispose]());
  sessionManagerContract(() => {
    made += 1;
    const url = `${server.url}?prefix=contract-${made}-`;
    return new RedisSessionManager({ ...SCOPE, folder: newFolder(), url });
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { SessionManagerClass } from '../src/index.ts';
import { sessionManagerContract } from '../src/testing.ts';

const root = mkdtempSync(join(tmpdir(), 'podio-examples-'));
after(() => rmSync(root, { recursive: true, force: true }));

const STORES: Readonly<Record<string, string>> = {
  'toml-session-manager': 'sessions.toml',
  'sqlite-session-manager': 'sessions.db',
};

for (const [name, store] of Object.entries(STORES)) {
  const url = pathToFileURL(join(import.meta.dirname, 'examples', `${name}.mjs`)).href;
  const { default: Manager }: { default: SessionManagerClass } = await import(url);
  const folders = new WeakMap<object, string>();
  const open = (folder: string) => {
    const manager = new Manager({ apiUrl: 'https://api.podio.com', clientId: 'client', folder });
    folders.set(manager, folder);
    return manager;
  };
  const folderOf = (manager: object) => folders.get(manager) ?? '';

  describe(`the example ${name}`, () =>
    sessionManagerContract(() => open(mkdtempSync(join(root, 'store-'))), {
      reopen: (manager) => open(folderOf(manager)),
      breakStore: (manager) => writeFileSync(join(folderOf(manager), store), 'no = [such thing'.repeat(100)),
    }));
}

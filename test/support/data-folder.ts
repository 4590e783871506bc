import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from './cli.ts';

/** The folder in which a world's `podio` keeps what it has to keep. */
export function dataOf({ home }: World): string {
  return join(home, '.local/share/podio');
}

/** The files of the sessions kept below a HOME. */
export function sessionFilesIn(home: string): string[] {
  const folder = join(home, '.local/share/podio/sessions');
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.map((name) => join(folder, name));
}

/** The file of the only session below a world's HOME. */
export function sessionFile({ home }: { home: string }): string {
  const [file, ...more] = sessionFilesIn(home);
  assert.ok(file !== undefined && more.length === 0, 'there is not exactly one session');
  return file;
}

/** What lies in the data folder beside whole files: locks, files half made, files kept aside. */
export function litterOf(world: World): string[] {
  const folders = ['sessions', 'identities', 'defaults', 'cool-downs'].map((name) =>
    join(dataOf(world), name),
  );
  const names = folders.filter((folder) => existsSync(folder)).flatMap((folder) => readdirSync(folder));
  return names.filter((name) => !name.endsWith('.json'));
}

/** The identities whose sessions are stored, each with the one its tokens were issued to. */
export function ownersOf(world: World): { identifier: string; ref: string }[] {
  const records = sessionFilesIn(world.home).map((file) => JSON.parse(readFileSync(file, 'utf8')));
  return records.map(({ identifier, ref }) => ({ identifier, ref: String(ref.id) }));
}

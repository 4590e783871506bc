import * as path from 'node:path';
import { identityKey } from '../values/identity.ts';
import { recordIdentity } from '../values/record.ts';
import { readOwnFile } from './files.ts';
import { listFolder } from './folders.ts';
import type { KnownIdentity } from './register.ts';

/** How the files that tell of a session end, and which manager keeps it. */
const MANAGERS = { '.json': 'file', '.keychain.json': 'keychain' };

/**
 * The identities of the sessions that lie in a folder, by what their own files say: the way to those of which the
 * register has lost its entry. What is damaged says nothing. @throws {StoreError}
 */
export function identitiesIn(folder: string): KnownIdentity[] {
  const names = listFolder(folder);
  return Object.entries(MANAGERS).flatMap(([suffix, manager]) =>
    names.flatMap((name) => identityOf(folder, name, suffix, manager) ?? []),
  );
}

// The name is made from the identity: a file that says something else is not believed.
function identityOf(
  folder: string,
  name: string,
  suffix: string,
  manager: string,
): KnownIdentity | undefined {
  if (!/-[0-9a-f]{24}(\.keychain)?\.json$/.test(name)) return undefined;
  const identity = recordIdentity(readOwnFile(path.join(folder, name)) ?? '');
  return identity && `${identityKey(identity)}${suffix}` === name ? { ...identity, manager } : undefined;
}

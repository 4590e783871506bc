import { isEmpty } from '../../values/podio-oauth.ts';
import { recordIdentity } from '../../values/record.ts';
import type { AuthType, SessionScope } from '../../values/session-manager.ts';
import type { RedisClient } from './redis-client.ts';
import type { RedisConnection } from './redis-connection.ts';
import { foreignOwner, read, type Snapshot } from './redis-hash.ts';
import { authTypeIn, patternOf } from './redis-keys.ts';
import type { RedisUrl } from './redis-url.ts';

/** Where to look, for whose sessions, and how to read the hashes that go with a key. */
export interface ListOptions {
  readonly connection: RedisConnection;
  readonly url: RedisUrl;
  readonly scope: SessionScope;
  readonly snapshotAt: (shared: string) => Promise<Snapshot>;
}

/** Whose sessions of this scope lie in Redis, those included that a PHP program has put there. @throws {StoreError} */
export async function listSessions(options: ListOptions): Promise<AuthType[]> {
  const { connection, url } = options;
  const keys =
    url.key === undefined ? await connection.ask((client) => scan(client, patternOf(url))) : [url.key];
  const found: AuthType[] = [];
  for (const key of keys) found.push(...(await sessionAt(key, options)));
  return found;
}

async function sessionAt(key: string, { url, scope, snapshotAt }: ListOptions): Promise<AuthType[]> {
  const snapshot = await snapshotAt(key);
  const named = url.key === undefined ? authTypeIn(url, key) : recordIdentity(snapshot.own.record ?? '');
  if (named === undefined) return [];
  const { type, identifier } = named;
  const identity = { ...scope, type, identifier };
  const isOurs = foreignOwner(snapshot, identity) === undefined && !isEmpty(read(snapshot, identity).oauth);
  return isOurs ? [{ type, identifier }] : [];
}

async function scan(client: RedisClient, pattern: string): Promise<string[]> {
  const nodes = 'nodes' in client ? client.nodes('master') : [client];
  const keys = new Set<string>();
  for (const node of nodes) {
    for (let cursor = '', page: string[] = []; cursor !== '0'; ) {
      [cursor, page] = await node.scan(cursor || '0', 'MATCH', pattern, 'COUNT', 1000, 'TYPE', 'hash');
      for (const key of page) keys.add(key);
    }
  }
  return [...keys];
}

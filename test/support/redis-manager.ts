import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { RedisSessionManager, type RedisSessionManagerOptions } from '../../src/session/managers/redis.ts';
import { EMPTY_OAUTH, type PodioOAuth } from '../../src/values/podio-oauth.ts';
import type { AuthType } from '../../src/values/session-manager.ts';
import type { RedisServer } from './redis.ts';

export const APP: AuthType = { type: 'app', identifier: '123456' };

/** A folder that is gone at the end of the test. */
export function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'podio-redis-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A manager of its own connection and folder, as another machine would have; closed at the end of the test. */
export function managerFor(
  t: TestContext,
  server: RedisServer,
  more: Partial<RedisSessionManagerOptions> = {},
): RedisSessionManager {
  const scope = { apiUrl: 'https://api.podio.com', clientId: 'client' };
  const manager = new RedisSessionManager({
    ...scope,
    url: server.url,
    folder: folderFor(t),
    env: {},
    ...more,
  });
  t.after(() => manager.close());
  return manager;
}

/** A session of the app whose tokens are told apart by the mark. */
export function sessionOf(mark: string): PodioOAuth {
  return {
    ...EMPTY_OAUTH,
    accessToken: `access-${mark}`,
    refreshToken: `refresh-${mark}`,
    scope: 'global:all',
    ref: { type: 'app', id: 123456 },
    expiresIn: 28_800,
    obtainedAt: Date.now(),
    clientSecret: 'the-secret-of-the-key',
  };
}

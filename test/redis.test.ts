import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, describe, type TestContext, test } from 'node:test';
import { RedisConnection } from '../src/session/managers/redis-connection.ts';
import { RedisLock } from '../src/session/managers/redis-lock.ts';
import { parseRedisUrl } from '../src/session/managers/redis-url.ts';
import { Session } from '../src/session/session.ts';
import { withoutCredentials } from '../src/values/manager-name.ts';
import { EMPTY_OAUTH, isEmpty } from '../src/values/podio-oauth.ts';
import { RedisServer } from './support/redis.ts';
import { APP, folderFor, managerFor, sessionOf } from './support/redis-manager.ts';

const KEY = 'podio_cache_app_123456';
const OWN = `{${KEY}}:podio-cli`;
const LOCK = `${OWN}:lock`;
const FOUR_WEEKS_S = 28 * 24 * 60 * 60;

const server = await RedisServer.start();
after(() => server[Symbol.asyncDispose]());

async function emptied(): Promise<void> {
  await server.client.flushall();
}

describe('a session in Redis', () => {
  test("is a hash with the fields of Podio's PHP example, ours beside them, for as long as a refresh token lives", async (t) => {
    await emptied();
    const session = sessionOf('a');
    await managerFor(t, server).set(session, APP);
    assert.deepEqual(
      { ...(await server.client.hgetall(KEY)) },
      {
        access_token: 'access-a',
        refresh_token: 'refresh-a',
        expires_in: '28800',
        ref_type: 'app',
        ref_id: '123456',
        scope: 'global:all',
        obtained_at: String(session.obtainedAt),
        client_id: 'client',
        api_url: 'https://api.podio.com',
        version: '1',
      },
    );
    for (const key of [KEY, OWN]) {
      const left = await server.client.ttl(key);
      assert.ok(left > FOUR_WEEKS_S - 60 && left <= FOUR_WEEKS_S, `${key} ${left}`);
    }
  });

  test('is found again by another machine, secrets and all', async (t) => {
    await emptied();
    const session = sessionOf('a');
    await managerFor(t, server).set(session, APP);
    assert.deepEqual({ ...(await managerFor(t, server).get(APP)) }, { ...session, appToken: undefined });
  });

  test('lies where ?prefix= or ?key= says', async (t) => {
    await emptied();
    await managerFor(t, server, { url: `${server.url}?prefix=ours` }).set(sessionOf('a'), APP);
    const keyed = managerFor(t, server, { url: `${server.url}?key=podio%3Asession` });
    await keyed.set(sessionOf('b'), APP);
    assert.equal(await server.client.hget('ours_app_123456', 'access_token'), 'access-a');
    assert.equal(await server.client.hget('podio:session', 'access_token'), 'access-b');
    assert.deepEqual(await keyed.list(), [APP]);
    assert.ok(isEmpty(await managerFor(t, server).get(APP)));
  });

  test('under one key is never given to another identity', async (t) => {
    await emptied();
    const keyed = managerFor(t, server, { url: `${server.url}?key=one` });
    await keyed.set(sessionOf('a'), APP);
    const other = { type: 'app', identifier: '7' } as const;
    await assert.rejects(keyed.get(other), /holds the session of app:123456 with API key client/);
    await assert.rejects(keyed.set(sessionOf('b'), other), /holds the session of app:123456/);
    assert.equal((await keyed.get(APP)).accessToken, 'access-a');
  });

  test('of another API key, or of another API, is refused before a token is spent, and not forgotten', async (t) => {
    await emptied();
    await managerFor(t, server).set(sessionOf('a'), APP);
    for (const scope of [{ clientId: 'other' }, { apiUrl: 'https://podio.example' }]) {
      const manager = managerFor(t, server, scope);
      await assert.rejects(manager.get(APP), { name: 'StoreError', hint: /\?prefix=NAME/ });
      const session = new Session({ manager, authType: APP });
      const bring = () => Promise.reject(new Error('a token was spent'));
      await assert.rejects(
        session.update(async () => bring),
        /holds the session of/,
      );
      await manager.set(EMPTY_OAUTH, APP);
      assert.deepEqual(await manager.list(), []);
    }
    assert.equal((await managerFor(t, server).get(APP)).accessToken, 'access-a');
  });

  test('of one API is kept apart from the same identity at another by a prefix', async (t) => {
    await emptied();
    await managerFor(t, server).set(sessionOf('a'), APP);
    const other = managerFor(t, server, { clientId: 'other', url: `${server.url}?prefix=other` });
    await other.set(sessionOf('b'), APP);
    assert.equal((await managerFor(t, server).get(APP)).accessToken, 'access-a');
    assert.equal((await other.get(APP)).accessToken, 'access-b');
  });

  test('leaves nothing with a token behind when it is forgotten', async (t) => {
    await emptied();
    const manager = managerFor(t, server);
    await manager.set(sessionOf('a'), APP);
    await manager.set(EMPTY_OAUTH, APP);
    for (const key of await server.client.keys('*')) {
      assert.doesNotMatch(JSON.stringify(await server.client.hgetall(key)), /access-|refresh-|secret/);
    }
  });

  test('is listed with those that a PHP program stored, and nothing else is', async (t) => {
    await emptied();
    const manager = managerFor(t, server);
    await manager.set(sessionOf('a'), { type: 'password', identifier: 'ada@example.com' });
    await server.client.hset('podio_cache_app_7', { access_token: 'x', refresh_token: 'y' });
    await server.client.hset('podio_cache_session_9', { access_token: 'x' });
    await server.client.set('podio_cache_app_8', 'no hash');
    await server.client.hset('podio_cacheXapp_9', { access_token: 'x' });
    const names = (await manager.list()).map(({ type, identifier }) => `${type}:${identifier}`);
    assert.deepEqual(names.toSorted(), ['app:7', 'password:ada@example.com']);
  });

  test('survives a restart of Redis under an open connection', async (t) => {
    await emptied();
    const manager = managerFor(t, server);
    await manager.set(sessionOf('a'), APP);
    await server.kill();
    await server.start();
    assert.equal((await manager.get(APP)).accessToken, 'access-a');
    await server.kill();
    await server.start();
    await manager.set(sessionOf('b'), APP);
    assert.equal((await manager.get(APP)).accessToken, 'access-b');
  });
});

test('an answer that a process without a processor could not read for long is an answer', async (t) => {
  await emptied();
  const manager = managerFor(t, server);
  await manager.set(sessionOf('a'), APP);
  const asked = manager.get(APP);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4_000);
  assert.equal((await asked).accessToken, 'access-a');
});

function acquiring(t: TestContext): (timeoutMs: number) => Promise<RedisLock | undefined> {
  const connection = new RedisConnection({ url: parseRedisUrl(server.url), login: () => ({}) });
  t.after(() => connection.close());
  return (timeoutMs) => RedisLock.acquire({ connection, keys: [KEY, OWN, LOCK], timeoutMs });
}

describe('the lock in Redis', () => {
  test('is waited for no longer than told, and the error names key and holder', async (t) => {
    await emptied();
    const release = await managerFor(t, server).lock(APP);
    const acquire = acquiring(t);
    const waiting = acquire(100);
    await assert.rejects(waiting, {
      name: 'StoreError',
      message: new RegExp(`process ${process.pid} on .* holds ${LOCK}`),
    });
    await release();
    await (await acquire(0))?.release();
  });

  test('is waited for as long as it passes on from one to the next', async (t) => {
    await emptied();
    const acquire = acquiring(t);
    const since = performance.now();
    await server.client.set(LOCK, 'holder 0 of-another-program');
    const waiting = acquire(1_500);
    for (let count = 1; performance.now() - since < 3_000; count++)
      await server.client.set(LOCK, `holder ${count} of-another-program`);
    await server.client.del(LOCK);
    await (await waiting)?.release();
  });

  test('is waited for no longer where another has brought a new session meanwhile', async (t) => {
    await emptied();
    const [holder, waiter] = [managerFor(t, server), managerFor(t, server)];
    await holder.set(sessionOf('a'), APP);
    const release = await holder.lock(APP);
    const waiting = new Session({ manager: waiter, authType: APP }).update(
      async () => assert.fail('it had the lock'),
      ({ accessToken }) => accessToken === 'access-b',
    );
    await holder.set(sessionOf('b'), APP);
    assert.equal((await waiting).accessToken, 'access-b');
    await release();
  });

  test('is given back by its holder only', async (t) => {
    await emptied();
    const release = await managerFor(t, server).lock(APP);
    await server.client.set(LOCK, 'somebody else');
    await release();
    assert.equal(await server.client.get(LOCK), 'somebody else');
  });

  test('runs out by itself, and is extended as long as its holder lives', async (t) => {
    await emptied();
    const release = await managerFor(t, server).lock(APP);
    await server.client.pexpire(LOCK, 4_000);
    for (let left = 0; left < 8_000; ) {
      left = await server.client.pttl(LOCK);
      assert.ok(left > 0, 'it ran out');
    }
    await release();
    assert.equal(await server.client.exists(LOCK), 0);
  });

  test('that ran out under a paused holder does not let it replace the newer session', async (t) => {
    await emptied();
    const [paused, other] = [managerFor(t, server), managerFor(t, server)];
    await other.set(sessionOf('a'), APP);
    const release = await paused.lock(APP);
    await server.client.del(LOCK);
    await other.set(sessionOf('b'), APP);
    await paused.set(sessionOf('c'), APP);
    await release();
    assert.equal((await other.get(APP)).accessToken, 'access-b');
    assert.equal(await server.client.hget(KEY, 'access_token'), 'access-b');
  });

  test('that ran out under a paused holder does not cost the session it brings, where nobody stored another', async (t) => {
    await emptied();
    const [paused, other] = [managerFor(t, server), managerFor(t, server)];
    await other.set(sessionOf('a'), APP);
    const release = await paused.lock(APP);
    await server.client.del(LOCK);
    const releaseOther = await other.lock(APP);
    await paused.set(sessionOf('b'), APP);
    assert.equal((await other.get(APP)).accessToken, 'access-b');
    await releaseOther();
    await release();
  });

  test('that another one has by now keeps a token from being spent', async (t) => {
    await emptied();
    const [paused, other] = [managerFor(t, server), managerFor(t, server)];
    const release = await paused.lock(APP);
    await server.client.del(LOCK);
    const releaseOther = await other.lock(APP);
    await assert.rejects(paused.reserve(APP), /another process has taken over/);
    await releaseOther();
    await release();
  });

  test('that ran out does not let its late holder forget what another one has stored', async (t) => {
    await emptied();
    const [paused, other] = [managerFor(t, server), managerFor(t, server)];
    const release = await paused.lock(APP);
    await server.client.del(LOCK);
    await other.set(sessionOf('b'), APP);
    await assert.rejects(paused.set(EMPTY_OAUTH, APP), /another process has taken over/);
    await release();
    assert.equal((await other.get(APP)).accessToken, 'access-b');
  });
});

describe('what is reserved in Redis', () => {
  test('is room for the next session, and gone when it is stored or given back', async (t) => {
    await emptied();
    const manager = managerFor(t, server);
    const giveBack = await manager.reserve(APP);
    assert.ok(((await server.client.hget(OWN, 'reserved')) ?? '').length >= 4096);
    await manager.set(sessionOf('a'), APP);
    assert.equal(await server.client.hexists(OWN, 'reserved'), 0);
    await giveBack();
    await (await manager.reserve(APP))();
    assert.equal(await server.client.hexists(OWN, 'reserved'), 0);
  });
});

describe('the URL of a Redis', () => {
  test('names server, database, prefix, and whom to log in as', () => {
    const url = parseRedisUrl('rediss://ada:p%40ss@redis.example:7000/3?prefix=x');
    assert.deepEqual(
      { ...url },
      {
        layout: 'single',
        tls: true,
        nodes: [{ host: 'redis.example', port: 7000 }],
        masterName: '',
        db: 3,
        username: 'ada',
        password: 'p@ss',
        prefix: 'x',
        key: undefined,
      },
    );
    assert.deepEqual(parseRedisUrl('redis://[::1]').nodes, [{ host: '::1', port: 6379 }]);
    const sentinel = parseRedisUrl('redis+sentinel://a,b:1/main/2');
    assert.deepEqual(
      [sentinel.nodes, sentinel.masterName, sentinel.db],
      [
        [
          { host: 'a', port: 26379 },
          { host: 'b', port: 1 },
        ],
        'main',
        2,
      ],
    );
    assert.equal(parseRedisUrl('rediss+cluster://a,b').layout, 'cluster');
  });

  test('that is none is refused, and nothing of it is told', () => {
    const wrong = [
      'redis://:s3cret@host/zero',
      'redis://:s3cret@host:99999',
      'redis://:s3cret@a,b',
      'redis://:s3cret%@host',
      'redis://:s3cret@host?s3cret=1',
      'redis://host?prefix=a&key=s3cret',
      'redis+cluster://:s3cret@host/1',
      'redis+s3cret://host',
      'redis://:s3cret/@host',
    ];
    for (const url of wrong) {
      assert.throws(
        () => parseRedisUrl(url),
        (error: Error) => {
          assert.equal(error.name, 'UsageError', url);
          assert.doesNotMatch(JSON.stringify([error.message, error]), /s3cret/);
          return true;
        },
      );
    }
  });

  test('is shown and remembered without whatever stands before the host', () => {
    assert.equal(withoutCredentials('redis://a:b%40c@host/1?prefix=x'), 'redis://host/1?prefix=x');
    assert.equal(withoutCredentials('redis://a:b@c@host/1'), 'redis://host/1');
    assert.equal(withoutCredentials('rediss://:b/c@host'), 'rediss://host');
    for (const name of ['file', 'redis://host/1?key=a@b', './my@manager.js', 'C:\\a@b'])
      assert.equal(withoutCredentials(name), name);
  });
});

test('a password that only the environment names is written to no file', async (t) => {
  await using locked = await RedisServer.start({
    arguments: ['--requirepass', 'p4ssword'],
    password: 'p4ssword',
  });
  const folder = folderFor(t);
  const manager = managerFor(t, locked, { folder, env: { REDISCLI_AUTH: 'p4ssword' } });
  await manager.set(sessionOf('a'), APP);
  assert.deepEqual(readdirSync(folder), []);
});

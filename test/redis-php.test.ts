import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { EMPTY_OAUTH, isEmpty } from '../src/values/podio-oauth.ts';
import { RedisServer } from './support/redis.ts';
import { APP, managerFor, sessionOf } from './support/redis-manager.ts';

const KEY = 'podio_cache_app_123456';
const PROGRAM = join(import.meta.dirname, 'support/podio-session.php');

const server = await RedisServer.start();
after(() => server[Symbol.asyncDispose]());
beforeEach(() => server.client.flushall());

function php(...words: string[]): string {
  return execFileSync('php', [PROGRAM, String(server.port), KEY, ...words], { encoding: 'utf8' });
}

/** A PHP program that has read the session and will write back what it has when it ends. */
async function running(): Promise<{ end: () => Promise<void> }> {
  const child: ChildProcess = spawn('php', [PROGRAM, String(server.port), KEY, 'hold'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout ?? child, 'data');
  const end = async () => {
    child.stdin?.end('\n');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  };
  return { end };
}

describe('with a PHP program on the same Redis', () => {
  test('PHP reads what podio wrote', async (t) => {
    await managerFor(t, server).set(sessionOf('a'), APP);
    assert.deepEqual(JSON.parse(php('read')), {
      access_token: 'access-a',
      refresh_token: 'refresh-a',
      expires_in: 28800,
      ref: { type: 'app', id: '123456' },
    });
  });

  test('podio takes what PHP wrote as it is: when it was issued nobody knows', async (t) => {
    php('write', 'access-p', 'refresh-p');
    const manager = managerFor(t, server);
    const { accessToken, refreshToken, expiresIn, obtainedAt, ref } = await manager.get(APP);
    assert.deepEqual([accessToken, refreshToken, expiresIn, obtainedAt], ['access-p', 'refresh-p', 28800, 0]);
    assert.deepEqual(ref, { type: 'app', id: 123456 });
    assert.deepEqual(await manager.list(), [APP]);
  });

  test("what PHP wrote for another app is not taken for this one's", async (t) => {
    php('write', 'access-p', 'refresh-p');
    const manager = managerFor(t, server, { url: `${server.url}?key=${KEY}` });
    await assert.rejects(
      manager.get({ type: 'app', identifier: '7' }),
      /holds the session of the app 123456/,
    );
  });

  test('an older pair that PHP writes back at its end is noticed, and the newer one put back', async (t) => {
    const manager = managerFor(t, server);
    await manager.set(sessionOf('a'), APP);
    const program = await running();
    await manager.set(sessionOf('b'), APP);
    await manager.set(sessionOf('c'), APP);
    await program.end();
    assert.equal(JSON.parse(php('read')).access_token, 'access-a');
    const { accessToken, obtainedAt } = await managerFor(t, server).get(APP);
    assert.equal(accessToken, 'access-c');
    assert.ok(obtainedAt > 0);
    assert.equal(JSON.parse(php('read')).access_token, 'access-c');
  });

  test("a pair of PHP's own that podio renewed is known when PHP writes it back", async (t) => {
    php('write', 'access-p', 'refresh-p');
    const program = await running();
    await managerFor(t, server).set(sessionOf('b'), APP);
    await program.end();
    assert.equal((await managerFor(t, server).get(APP)).accessToken, 'access-b');
    assert.equal(JSON.parse(php('read')).access_token, 'access-b');
  });

  test('a pair that PHP got by itself is newer, keeps what PHP does not know of, and outlives what PHP writes back', async (t) => {
    const manager = managerFor(t, server);
    await manager.set(sessionOf('a'), APP);
    const program = await running();
    php('write', 'access-p', 'refresh-p');
    const adopted = await manager.get(APP);
    assert.deepEqual([adopted.accessToken, adopted.obtainedAt], ['access-p', 0]);
    assert.equal(adopted.clientSecret, 'the-secret-of-the-key');
    await program.end();
    assert.equal(JSON.parse(php('read')).access_token, 'access-a');
    assert.equal((await managerFor(t, server).get(APP)).accessToken, 'access-p');
    assert.equal(JSON.parse(php('read')).access_token, 'access-p');
  });

  test('a hash that PHP emptied after a lost race is filled again', async (t) => {
    const manager = managerFor(t, server);
    await manager.set(sessionOf('a'), APP);
    php('clear');
    assert.equal(JSON.parse(php('read')).access_token, '');
    assert.equal((await manager.get(APP)).accessToken, 'access-a');
    assert.equal(JSON.parse(php('read')).refresh_token, 'refresh-a');
  });

  test('a hash that PHP emptied and podio never knew is no session', async (t) => {
    php('clear');
    const manager = managerFor(t, server);
    assert.ok(isEmpty(await manager.get(APP)));
    assert.deepEqual(await manager.list(), []);
  });

  test('a logout stays one, whatever PHP writes back at its end', async (t) => {
    const manager = managerFor(t, server);
    await manager.set(sessionOf('a'), APP);
    const program = await running();
    await manager.set(sessionOf('b'), APP);
    const later = await running();
    await manager.set(EMPTY_OAUTH, APP);
    await program.end();
    assert.ok(isEmpty(await manager.get(APP)));
    await later.end();
    assert.ok(isEmpty(await manager.get(APP)));
    assert.equal(await server.client.exists(KEY), 0);
    php('clear');
    assert.ok(isEmpty(await manager.get(APP)));
  });

  test('a new login of PHP after a logout counts', async (t) => {
    const manager = managerFor(t, server);
    await manager.set(sessionOf('a'), APP);
    await manager.set(EMPTY_OAUTH, APP);
    php('write', 'access-p', 'refresh-p');
    assert.equal((await manager.get(APP)).accessToken, 'access-p');
  });
});

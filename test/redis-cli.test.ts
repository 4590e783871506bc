import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { outcome, World } from './support/cli.ts';
import { fails, filesHolding, succeeds } from './support/commands.ts';
import { litterOf } from './support/data-folder.ts';
import { RedisServer } from './support/redis.ts';
import { RedisWorld } from './support/redis-world.ts';

const KEY = 'podio_cache_app_123456';
const CALL = ['call', 'GET', '/item/123'];

suite('sessions in Redis from the command line', () => {
  test('login names the place, later runs need nothing, logout forgets', async () => {
    await using at = await RedisWorld.create();
    const login = await at.logIn();
    assert.match(login.stderr, new RegExp(`kept in Redis at 127\\.0\\.0\\.1:${at.server.port} \\(${KEY}\\)`));
    for (let count = 0; count < 3; count++) succeeds(await at.podio(CALL));
    at.world.sandbox.expireAccessTokens();
    succeeds(await at.podio(CALL));
    assert.equal(at.world.sandbox.tokenRequests(), 2);
    assert.deepEqual(filesHolding(at.world.home, at.world.sandbox.secrets), []);
    assert.match(succeeds(await at.podio(['status'])), /Redis at 127\.0\.0\.1/);
    const [row] = JSON.parse(succeeds(await at.podio(['sessions', 'list', '--json'])));
    assert.deepEqual([row.session_manager, row.state], [at.server.url, 'valid']);
    succeeds(await at.podio(['logout']));
    assert.equal(await at.server.client.exists(KEY), 0);
    fails(await at.podio(CALL), 3, /not logged in/);
  });

  test('a session moves to Redis and back', async () => {
    await using at = await RedisWorld.create();
    succeeds(await at.logIn('file'));
    succeeds(await at.podio(['sessions', 'move', '--to', at.server.url]));
    succeeds(await at.podio(CALL));
    assert.deepEqual(filesHolding(at.world.home, at.world.sandbox.secrets), []);
    succeeds(await at.podio(['sessions', 'move', '--to', 'file']));
    assert.equal(await at.server.client.exists(KEY), 0);
    succeeds(await at.podio(CALL));
    assert.equal(at.world.sandbox.tokenRequests(), 1);
  });

  test('what one machine sees of the rate budget, the others know', async () => {
    await using at = await RedisWorld.create({ callLimit: 1000 });
    await using other = await World.create();
    succeeds(await at.logIn());
    succeeds(await at.podio(['limits', '--fresh']));
    const asked = at.world.sandbox.seen.length;
    const env = {
      HOME: other.home,
      XDG_DATA_HOME: undefined,
      PODIO_SESSION_MANAGER: at.server.url,
      PODIO_AS: 'app:123456',
    };
    const { remaining } = JSON.parse(
      succeeds(
        await at.world.run(['limits', '--json'], { env: { ...env, PODIO_DATA_DIR: `${other.home}/data` } }),
      ),
    );
    assert.deepEqual([remaining, at.world.sandbox.seen.length], [999, asked]);
  });

  test('the same Redis by another name is the same place: a login there loses nothing', async () => {
    await using at = await RedisWorld.loggedIn();
    succeeds(await at.logIn(`redis://localhost:${at.server.port}`));
    succeeds(await at.podio(CALL));
    assert.equal(await at.server.client.hexists(KEY, 'access_token'), 1);
  });

  test('a password in the URL is told nowhere, kept in a file of mode 0600, and gone with the session', async () => {
    const redis = { arguments: ['--requirepass', 'p4ss/w%rd!'], password: 'p4ss/w%rd!' };
    await using at = await RedisWorld.create({}, redis);
    const url = `redis://:p4ss%2Fw%25rd!@127.0.0.1:${at.server.port}`;
    const told = [await at.logIn(url)];
    for (const words of [
      CALL,
      ['status', '--json'],
      ['sessions', 'list', '--json'],
      ['doctor', '--json'],
      ['refresh', '-v'],
    ])
      told.push(await at.podio(words));
    for (const { exit, stdout, stderr } of told) {
      assert.equal(exit, 0, stderr);
      assert.doesNotMatch(stdout + stderr, /p4ss/);
    }
    const [file = '', ...more] = filesHolding(at.world.home, ['p4ss']);
    assert.match(file, /sessions\/app-123456-\w+\.redis-\w+\.login\.json$/);
    assert.deepEqual(more, []);
    assert.equal(statSync(join(at.world.home, file)).mode & 0o777, 0o600);
    succeeds(await at.podio(['sessions', 'move', '--to', 'file']));
    succeeds(await at.podio(['sessions', 'move', '--to', url]));
    succeeds(await at.podio(CALL));
    succeeds(await at.podio(['logout']));
    assert.deepEqual(filesHolding(at.world.home, ['p4ss']), []);
    assert.deepEqual(litterOf(at.world), []);
  });

  test('a password that is missing or wrong is asked for by its variable, and REDISCLI_AUTH serves', async () => {
    const redis = { arguments: ['--requirepass', 'p4ssword'], password: 'p4ssword' };
    await using at = await RedisWorld.create({}, redis);
    fails(await at.logIn(), 8, /asks for a password/, /REDISCLI_AUTH/);
    fails(
      await at.logIn(at.server.url, { REDISCLI_AUTH: 'wr0ngword' }),
      8,
      /does not accept the password/,
      /REDISCLI_AUTH/,
    );
    assert.equal(at.world.sandbox.tokenRequests(), 0);
    succeeds(await at.logIn(at.server.url, { REDISCLI_AUTH: 'p4ssword' }));
    fails(await at.podio(CALL), 8, /asks for a password/);
    succeeds(await at.podio(CALL, { REDISCLI_AUTH: 'p4ssword' }));
    succeeds(
      await at.podio(CALL, {
        PODIO_SESSION_MANAGER: `redis://default:p4ssword@127.0.0.1:${at.server.port}/0`,
      }),
    );
    assert.deepEqual(filesHolding(at.world.home, ['p4ssword', 'wr0ngword']), []);
  });

  test('two machines share one session: what one renews the other uses', async () => {
    await using at = await RedisWorld.loggedIn({ endFamilyOnReplay: true });
    await using elsewhere = await RedisWorld.create();
    const there = { PODIO_SESSION_MANAGER: at.server.url, PODIO_API_URL: at.world.sandbox.url };
    at.world.sandbox.expireAccessTokens();
    succeeds(await at.podio(CALL));
    const words = [...CALL, '--as', 'app:123456'];
    const env = { ...at.world.env(there), HOME: elsewhere.world.home };
    succeeds(await elsewhere.world.run(words, { env }));
    assert.equal(at.world.sandbox.tokenRequests(), 1);
  });

  test('a URL that is none, or of an unknown kind, is refused before anything is sent', async () => {
    await using at = await RedisWorld.create();
    for (const url of [
      'redis://:s3cretword@h/x',
      'redis+sentinal://:s3cretword@h',
      'redis://:s3cret/word@h?a',
    ]) {
      const done = await at.logIn(url);
      fails(done, 2, /Redis|redis/);
      assert.doesNotMatch(done.stderr, /s3cret/);
    }
    assert.equal(at.world.sandbox.tokenRequests(), 0);
  });

  test('doctor tells what is wrong with a Redis, and goes on', async () => {
    await using at = await RedisWorld.loggedIn();
    assert.match((await at.podio(['doctor'])).stdout, /^✓ identity .*123456/m);
    await at.server.kill();
    const { exit, stdout } = await at.podio(['doctor']);
    assert.equal(exit, 8);
    assert.match(stdout, /^✗ identity .*Redis at 127\.0\.0\.1:\d+ could not be reached\n.*see that it runs/m);
    assert.match(stdout, /^✓ network/m);
  });

  test('a set that sentinels watch is found through them, and a cluster by any of its nodes', async () => {
    await using at = await RedisWorld.create();
    await using sentinel = await RedisServer.start({ sentinelOf: at.server.port });
    succeeds(await at.logIn(`redis+sentinel://127.0.0.1:${sentinel.port}/mymaster/0`));
    succeeds(await at.podio(CALL));
    assert.equal(await at.server.client.exists(KEY), 1);
    await using cluster = await RedisServer.start({
      arguments: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'],
    });
    await cluster.client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    while (!/cluster_state:ok/.test(String(await cluster.client.call('CLUSTER', 'INFO'))));
    succeeds(await at.logIn(`redis+cluster://127.0.0.1:${cluster.port}`));
    succeeds(await at.podio(CALL));
    succeeds(await at.podio(['refresh']));
    assert.equal(await cluster.client.exists(KEY), 1);
    succeeds(await at.podio(['logout']));
    assert.equal(await cluster.client.exists(KEY), 0);
  });

  test('the start of a command that keeps no session in Redis loads nothing of it', async () => {
    await using at = await RedisWorld.create();
    const child = at.world.start(['status', '--offline'], { env: { NODE_DEBUG: 'module' } });
    assert.doesNotMatch((await outcome(child)).stderr, /redis\.cjs|built\.cjs/);
  });
});

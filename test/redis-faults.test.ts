import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { type Outcome, outcome } from './support/cli.ts';
import { fails, succeeds } from './support/commands.ts';
import { freePort } from './support/redis.ts';
import { RedisWorld } from './support/redis-world.ts';

const KEY = 'podio_cache_app_123456';
const OWN = `{${KEY}}:podio-cli`;
const CALL = ['call', 'GET', '/item/123'];

// Redis is waited for 3 s; the rest is for a slow machine that has other things to do.
const BOUND_MS = 60_000;

/** Most of a case is waiting. */
const SIDE_BY_SIDE = { concurrency: 3 };

/** Redis 7 lets a test make it full: it already holds more than it may. */
async function fill({ server }: RedisWorld): Promise<void> {
  await server.client.config('SET', 'maxmemory-policy', 'noeviction');
  await server.client.config('SET', 'maxmemory', '1mb');
}

async function mend({ server }: RedisWorld): Promise<void> {
  server.resume();
  if (!(await isUp(server.port))) await server.start();
  await server.client.config('SET', 'maxmemory', '0');
  await server.client.call('REPLICAOF', 'NO', 'ONE');
}

async function isUp(port: number): Promise<boolean> {
  try {
    return (
      execFileSync('redis-cli', ['-p', String(port), 'ping'], { encoding: 'utf8', stdio: 'pipe' }) ===
      'PONG\n'
    );
  } catch {
    return false;
  }
}

type Fault = readonly [what: string, make: (at: RedisWorld) => unknown, message: RegExp, hint: RegExp];

const OUT_OF_REACH: readonly Fault[] = [
  ['killed', ({ server }) => server.kill(), /could not be reached/, /see that it runs/],
  ['stopped', ({ server }) => server.stop(), /did not answer within 3 s/, /redis-cli ping/],
  [
    'paused by a client',
    ({ server }) => server.client.call('CLIENT', 'PAUSE', '60000', 'ALL'),
    /did not answer within 3 s/,
    /redis-cli ping/,
  ],
];

const CANNOT_WRITE: readonly Fault[] = [
  ['full', fill, /is out of memory/, /maxmemory/],
  [
    'a read-only replica',
    ({ server }) => server.client.call('REPLICAOF', '127.0.0.1', '1'),
    /is a read-only replica/,
    /its master/,
  ],
  [
    'closed to writers by an ACL',
    ({ server }) => server.client.call('ACL', 'SETUSER', 'default', '-@write', '+hgetall'),
    /does not allow this user/,
    /ACL SETUSER/,
  ],
];

suite('a Redis in trouble', SIDE_BY_SIDE, () => {
  for (const [what, make, message, hint] of OUT_OF_REACH) {
    test(`${what}: each command ends in time, exit 8, says what to do, and never "not logged in"`, async () => {
      await using at = await RedisWorld.loggedIn();
      await make(at);
      const all = [CALL, ['token'], ['refresh'], ['logout']].map((words) => at.timed(words));
      for (const { took, ...done } of await Promise.all(all)) {
        fails(done, 8, message, hint);
        assert.doesNotMatch(done.stderr, /not logged in/i);
        assert.ok(took < BOUND_MS, `it took ${took} ms`);
      }
      assert.equal(at.world.sandbox.tokenRequests(), 0);
      if (what === 'paused by a client') return;
      await mend(at);
      succeeds(await at.podio(CALL));
    });
  }

  for (const [what, make, message, hint] of CANNOT_WRITE) {
    test(`${what}: a good token serves, none is spent, and the session is as it was`, async () => {
      await using at = await RedisWorld.loggedIn();
      await make(at);
      succeeds(await at.podio(CALL));
      at.world.sandbox.expireAccessTokens();
      const before = at.world.sandbox.tokenRequests();
      const { took, ...done } = await at.timed(CALL);
      fails(done, 8, message, hint);
      assert.ok(took < BOUND_MS);
      assert.equal(at.world.sandbox.tokenRequests(), before);
      await at.server.client.call('ACL', 'SETUSER', 'default', '+@all');
      await mend(at);
      succeeds(await at.podio(CALL));
      assert.equal(at.world.sandbox.tokenRequests(), before + 1);
    });
  }

  test('something else under the key is left as it is, and named', async () => {
    await using at = await RedisWorld.create();
    await at.server.client.set(KEY, 'a string of somebody');
    fails(
      await at.logIn(),
      8,
      new RegExp(`holds something else under this key \\(${KEY}\\)`),
      /\?prefix=NAME/,
    );
    assert.equal(at.world.sandbox.tokenRequests(), 0);
    assert.equal(await at.server.client.get(KEY), 'a string of somebody');
  });

  test('an address where no Redis is: each kind is told for what it is', async () => {
    await using at = await RedisWorld.create();
    const { url } = at.world.sandbox;
    const places: readonly (readonly [string, RegExp])[] = [
      [`redis://127.0.0.1:${await freePort()}`, /could not be reached/],
      ['redis://nowhere.invalid', /no such host/],
      [`redis://127.0.0.1:${new URL(url).port}`, /does not speak as Redis does|broke off/],
      [`rediss://127.0.0.1:${at.server.port}`, /does not speak TLS|broke off|did not answer/],
      [`${at.server.url.slice(0, -1)}99`, /has no database of this number/],
    ];
    const since = performance.now();
    const tried = places.map(async ([place, message]) => fails(await at.logIn(place), 8, message));
    await Promise.all(tried);
    assert.ok(performance.now() - since < BOUND_MS);
    assert.equal(at.world.sandbox.tokenRequests(), 0);
  });
});

suite('TLS to a Redis', () => {
  test('whose CA is named serves; one that is not trusted is told so, with the variable', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'podio-redis-tls-'));
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    const how =
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=podio-test';
    const name = ['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate];
    execFileSync('openssl', [...how.split(' '), ...name], { stdio: 'pipe' });
    const files = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate];
    const tls = ['--tls-auth-clients', 'no', ...files];
    await using at = await RedisWorld.create({}, { tls, ca: readFileSync(certificate) });
    const url = `rediss://localhost:${at.server.port}`;
    fails(await at.logIn(url), 8, /has a certificate that is not trusted/, /NODE_EXTRA_CA_CERTS/);
    assert.equal(at.world.sandbox.tokenRequests(), 0);
    const trusting = { NODE_EXTRA_CA_CERTS: certificate };
    succeeds(await at.logIn(url, trusting));
    succeeds(await at.podio(CALL, trusting));
    fails(await at.logIn(url.replace('localhost', '127.0.0.1'), trusting), 8, /certificate for another host/);
    fails(await at.logIn(url.replace('rediss', 'redis')), 8, /broke off the connection/, /rediss:\/\//);
    rmSync(folder, { recursive: true });
  });
});

suite('a Redis that fails while a session is being renewed', SIDE_BY_SIDE, () => {
  for (const [what, make] of [...OUT_OF_REACH.slice(0, 2), CANNOT_WRITE[1]].filter(
    (one) => one !== undefined,
  )) {
    test(`${what}: the new session waits in a recovery file, serves meanwhile, and is back at the next run`, async () => {
      await using at = await RedisWorld.loggedIn({ endFamilyOnReplay: true });
      const held = at.world.sandbox.hold({ grant: 'refresh_token' });
      const refreshing = at.podio(['refresh']);
      await held.arrived(1);
      await make(at);
      held.release();
      const { exit, stderr } = await refreshing;
      assert.equal(exit, 8, stderr);
      const [, file = ''] = /the renewed session is kept in (\S+)/.exec(stderr) ?? [];
      assert.equal(statSync(file).mode & 0o777, 0o600);
      succeeds(await at.podio(CALL));
      await mend(at);
      // The lock of before may have to run out first; until then the file serves.
      await at.server.client.del(`${OWN}:lock`);
      succeeds(await at.podio(CALL));
      assert.ok(!existsSync(file));
      succeeds(await at.podio(['refresh']));
      assert.equal(at.world.sandbox.tokenRequests('refresh_token'), 2);
    });
  }

  test('full: the room that was reserved is enough', async () => {
    await using at = await RedisWorld.loggedIn({ endFamilyOnReplay: true });
    const held = at.world.sandbox.hold({ grant: 'refresh_token' });
    const refreshing = at.podio(['refresh']);
    await held.arrived(1);
    await fill(at);
    held.release();
    succeeds(await refreshing);
    succeeds(await at.podio(CALL));
    assert.equal(at.world.sandbox.tokenRequests('refresh_token'), 1);
  });

  test('restarted: the session is stored as if nothing had happened, even where Redis came back empty', async () => {
    for (const comesBackEmpty of [false, true]) {
      await using at = await RedisWorld.loggedIn({ endFamilyOnReplay: true });
      const held = at.world.sandbox.hold({ grant: 'refresh_token' });
      const refreshing = at.podio(['refresh']);
      await held.arrived(1);
      await at.server.kill();
      await at.server.start();
      if (comesBackEmpty) await at.server.client.flushall();
      held.release();
      succeeds(await refreshing);
      succeeds(await at.podio(CALL));
      assert.equal(at.world.sandbox.tokenRequests('refresh_token'), 1);
    }
  });

  test('a recovery file that is older than what is in Redis by now is dropped', async () => {
    await using at = await RedisWorld.loggedIn();
    const held = at.world.sandbox.hold({ grant: 'refresh_token' });
    const refreshing = at.podio(['refresh']);
    await held.arrived(1);
    await at.server.kill();
    held.release();
    const [, file = ''] = /is kept in (\S+)/.exec((await refreshing).stderr) ?? [];
    const waiting = readFileSync(file, 'utf8');
    await at.server.start();
    await at.server.client.del(`${OWN}:lock`);
    rmSync(file);
    succeeds(await at.logIn());
    const newest = await at.server.client.hget(KEY, 'access_token');
    execFileSync('sh', ['-c', `umask 077; cat > '${file}'`], { input: waiting });
    succeeds(await at.podio(CALL));
    assert.ok(!existsSync(file));
    assert.equal(await at.server.client.hget(KEY, 'access_token'), newest);
  });
});

function isAnswered(done: Outcome): void {
  assert.equal(JSON.parse(succeeds(done)).item_id, 123);
}

suite('many processes and one Redis', () => {
  test('of 200 processes that meet one expired token one renews it, and 200 get their answer', async () => {
    await using at = await RedisWorld.loggedIn({ endFamilyOnReplay: true });
    const { sandbox } = at.world;
    sandbox.expireAccessTokens();
    // None is answered until all have sent the expired token.
    const path = '/item/123';
    const held = sandbox.hold({ path }, { match: { path }, count: 200 });
    const runs: Promise<unknown>[] = [];
    while (runs.length < 200) {
      // In waves, for a machine of two processors starts no faster by starting all at once.
      for (let wave = 0; wave < 20; wave++)
        runs.push(at.podio([...CALL, '--timeout', '600']).then(isAnswered));
      // One that fails is never seen at the barrier: its words are worth more than a wait without end.
      if (runs.length < 200) await Promise.race([held.arrived(runs.length), Promise.all(runs)]);
    }
    await Promise.all(runs);
    assert.equal(sandbox.tokenRequests(), 1);
    assert.equal(await at.server.client.exists(`${OWN}:lock`), 0);
    assert.equal(await at.server.client.hexists(OWN, 'reserved'), 0);
  });

  test('a holder that is killed passes its lock on, and one that is stopped does not replace the newer session', async () => {
    await using at = await RedisWorld.loggedIn({ rotate: false });
    const held = at.world.sandbox.hold({ grant: 'refresh_token' });
    const stopped = at.start(['refresh']);
    await held.arrived(1);
    stopped.kill('SIGSTOP');
    // As after the ten seconds that a silent holder's lock lasts.
    await at.server.client.del(`${OWN}:lock`);
    const killed = at.start(['refresh']);
    await held.arrived(2);
    killed.kill('SIGKILL');
    await outcome(killed);
    held.release();
    await at.server.client.pexpire(`${OWN}:lock`, 200);
    succeeds(await at.podio(['refresh']));
    const newest = await at.server.client.hget(KEY, 'access_token');
    stopped.kill('SIGCONT');
    succeeds(await outcome(stopped));
    assert.equal(await at.server.client.hget(KEY, 'access_token'), newest);
    succeeds(await at.podio(CALL));
  });
});

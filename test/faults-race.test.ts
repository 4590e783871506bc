import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import type { SandboxApp } from '../src/sandbox/sandbox.ts';
import { type Outcome, outcome, World } from './support/cli.ts';
import { loggedIn, nothingSet, succeeds } from './support/commands.ts';
import { litterOf, ownersOf, sessionFile } from './support/data-folder.ts';
import { oneOf, type Random, seeded } from './support/random.ts';
import { Refreshes } from './support/refreshes.ts';

/** `CHAOS_SECONDS=60` for the longer look that is worth taking before a release. */
const CHAOS_MS = Number(process.env.CHAOS_SECONDS ?? 10) * 1000;

suite('many processes at once', () => {
  test('row 1: of 100 processes that meet one expired token one renews it, and 100 get their answer', async () => {
    // A refresh token sent twice would end the session for all of them.
    await using world = await loggedIn({ endFamilyOnReplay: true });
    const { sandbox } = world;
    sandbox.expireAccessTokens();
    const path = '/item/123';
    sandbox.hold({ path }, { match: { path }, count: 100 });
    const runs = Array.from({ length: 100 }, () => world.run(['call', 'GET', path], nothingSet()));
    for (const done of await Promise.all(runs)) assert.equal(JSON.parse(succeeds(done)).item_id, 123);
    assert.equal(sandbox.tokenRequests(), 1);
    assert.deepEqual(litterOf(world), []);
  });

  test('row 3: eight workers, tokens always expired, a third of them killed: no refresh meets another', async (t) => {
    await using world = await loggedIn({ rotate: false, expiresIn: 0.05 });
    world.sandbox.rule({ grant: 'refresh_token' }, { kind: 'delay', ms: 20 });
    using refreshes = new Refreshes();
    const workers = Array.from({ length: 8 }, (_, number) => refreshAndDie(world, seeded(number)));
    const done = (await Promise.all(workers)).flat();
    const killed = done.filter(({ exit }) => exit === 137);
    t.diagnostic(`${done.length} processes, ${killed.length} of them killed, ${refreshes.count} refreshes`);
    assert.deepEqual(
      done.filter((one) => one.exit !== 0 && !killed.includes(one)),
      [],
    );
    assert.ok(killed.length > 0 && killed.length < done.length / 2);
    assert.equal(refreshes.meetings, 0);
    succeeds(await world.run(['refresh'], nothingSet()));
    assert.deepEqual(litterOf(world), []);
  });

  test('row 6: 50 processes that each log in another identity leave 50 sessions', async () => {
    const apps = appsOf(50);
    await using world = await World.create({ accounts: { apps } });
    // The first ten write at the same time, the others as soon as they come.
    world.sandbox.hold({ grant: 'app' }, { match: { grant: 'app' }, count: 10 });
    const runs = apps.map((app) => world.run(['login', '--app'], { env: loginOf(app) }));
    for (const done of await Promise.all(runs)) succeeds(done);
    const known: Known[] = JSON.parse(succeeds(await world.podio(['status', '--offline', '--json'])));
    assert.deepEqual(known.map(({ identity }) => identity).sort(), apps.map(({ id }) => `app:${id}`).sort());
    assert.ok(known.every(({ usable }) => usable));
    assert.equal(ownersOf(world).length, 50);
    assert.ok(ownersOf(world).every(({ identifier, ref }) => identifier === ref));
    assert.deepEqual(litterOf(world), []);
  });

  test('row 6: what was read before another process has logged in does not win over it', async () => {
    await using world = await loggedIn({ endFamilyOnReplay: true });
    const { sandbox } = world;
    sandbox.expireAccessTokens();
    const login = sandbox.hold({ grant: 'app' });
    const loggingIn = world.run(['login', '--app']);
    await login.arrived();
    const calls = Array.from({ length: 5 }, () => world.run(['call', '/item/123'], nothingSet()));
    await sandbox.when({ path: '/item/123', status: 401 }, 5);
    login.release();
    for (const done of await Promise.all([loggingIn, ...calls])) succeeds(done);
    assert.equal(sandbox.tokenRequests('refresh_token'), 0);
    const { access_token, refresh_token } = JSON.parse(readFileSync(sessionFile(world), 'utf8'));
    const newest = sandbox.secrets.slice(-4).filter((_, at) => at % 2 === 1);
    assert.deepEqual([access_token, refresh_token], newest);
  });

  test('row 6: 50 processes that log in, log out, call and refresh at random lose and damage nothing', async (t) => {
    const apps = appsOf(3);
    await using world = await World.create({ accounts: { apps }, endFamilyOnReplay: true });
    const lanes = Array.from({ length: 50 }, (_, number) => doAnything(world, apps, seeded(number)));
    const done = (await Promise.all(lanes)).flat();
    t.diagnostic(
      `${done.length} commands, ${done.filter(({ exit }) => exit === 3).length} of them logged out`,
    );
    assert.deepEqual(done.filter(isTrouble), []);
    // Of the refresh tokens of a session only the newest is good, and that one must be the one that lies there.
    for (const { identifier } of ownersOf(world))
      succeeds(await world.podio(['refresh', '--as', `app:${identifier}`], nothingSet()));
    assert.deepEqual(litterOf(world), []);
  });
});

interface Known {
  readonly identity: string;
  readonly usable: boolean;
}

/** For so long one process after the other, and a third of them killed at some time of their life. */
async function refreshAndDie(world: World, random: Random): Promise<Outcome[]> {
  const all: Outcome[] = [];
  let lifetime = 300;
  for (const end = Date.now() + CHAOS_MS; Date.now() < end; ) {
    const [born, isDoomed] = [Date.now(), random() < 0.35];
    const child = world.start([oneOf(['refresh', 'token'], random)], nothingSet());
    const killing = isDoomed ? setTimeout(() => child.kill('SIGKILL'), random() * lifetime) : undefined;
    all.push(await outcome(child));
    clearTimeout(killing);
    if (!isDoomed) lifetime = Date.now() - born;
  }
  return all;
}

/** For so long one command after the other, on any of the identities. */
async function doAnything(world: World, apps: readonly SandboxApp[], random: Random): Promise<Outcome[]> {
  const all: Outcome[] = [];
  for (const end = Date.now() + CHAOS_MS; Date.now() < end; ) {
    const app = oneOf(apps, random);
    const as = ['--as', `app:${app.id}`];
    const run = oneOf(
      [
        () => world.run(['login', '--app'], { env: loginOf(app) }),
        () => world.run(['logout', `app:${app.id}`], nothingSet()),
        () => world.run(['call', 'GET', `/app/${app.id}`, ...as], nothingSet()),
        () => world.run(['refresh', ...as], nothingSet()),
      ],
      random,
    );
    all.push(await run());
  }
  return all;
}

// Whoever comes after a logout is not logged in; a session that has ended, though, was lost by somebody's fault.
function isTrouble({ exit, stderr }: Outcome): boolean {
  return exit !== 0 && !(exit === 3 && /^podio: (not logged in as|no session is stored for)/.test(stderr));
}

function appsOf(count: number): SandboxApp[] {
  return Array.from({ length: count }, (_, number) => ({
    id: String(1000 + number),
    token: `token-of-${number}`,
  }));
}

function loginOf({ id, token }: SandboxApp): Record<string, string> {
  return { PODIO_APP_ID: id, PODIO_APP_TOKEN: token };
}

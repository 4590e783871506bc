import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { SessionTokens } from '../src/client/session-tokens.ts';
import { TokenEndpoint } from '../src/client/token-endpoint.ts';
import type { Action } from '../src/sandbox/sandbox.ts';
import { FileSessionManager } from '../src/session/managers/file.ts';
import { Session } from '../src/session/session.ts';
import { answering } from './support/answering.ts';
import type { World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds } from './support/commands.ts';
import { dataOf, sessionFile } from './support/data-folder.ts';
import { inTime, promptly } from './support/promptly.ts';

const ITEM = '/item/123';
const REFRESH = { grant: 'refresh_token' };
const BUSY: Action = {
  kind: 'fail',
  status: 420,
  body: { error: 'rate_limit', error_description: 'Please wait 300 seconds before trying again.' },
};

interface Misbehaviour {
  readonly action: Action;
  readonly exit: number;
}

const HTML = '<html><body><h1>Bad Gateway</h1></body></html>';
const LONG = { error: 'invalid_grant', error_description: 'x'.repeat(2 ** 20) };

const MISBEHAVIOURS: Readonly<Record<string, Misbehaviour>> = {
  'answers 500': { action: { kind: 'fail', status: 500, body: { error: 'internal' } }, exit: 5 },
  'answers 502 and a page': { action: { kind: 'fail', status: 502, body: HTML }, exit: 5 },
  'answers 503 and nothing': { action: { kind: 'fail', status: 503 }, exit: 5 },
  'answers 200 and a page': { action: { kind: 'fail', status: 200, body: HTML }, exit: 5 },
  'answers 200 and nothing': { action: { kind: 'fail', status: 200 }, exit: 5 },
  'answers 200 and null': { action: { kind: 'fail', status: 200, body: 'null' }, exit: 5 },
  'answers 200 and no token': { action: { kind: 'fail', status: 200, body: { expires_in: 28800 } }, exit: 5 },
  'answers 200 and a token that is none': {
    action: { kind: 'fail', status: 200, body: { access_token: 1 } },
    exit: 5,
  },
  'answers 204': { action: { kind: 'fail', status: 204 }, exit: 5 },
  'redirects elsewhere': {
    action: { kind: 'fail', status: 302, headers: { location: 'http://127.0.0.1:1/' } },
    exit: 5,
  },
  'answers 400 and a page': { action: { kind: 'fail', status: 400, body: HTML }, exit: 5 },
  'answers 401 and nothing': { action: { kind: 'fail', status: 401 }, exit: 5 },
  'answers 403 and a page': { action: { kind: 'fail', status: 403, body: HTML }, exit: 5 },
  'answers 404 and a page': { action: { kind: 'fail', status: 404, body: HTML }, exit: 5 },
  'answers 401 and JSON that names no error': {
    action: { kind: 'fail', status: 401, body: { message: 'Unauthorized' } },
    exit: 5,
  },
  'answers 400 and far too much': { action: { kind: 'fail', status: 400, body: LONG }, exit: 5 },
  'answers 401 and far too much': { action: { kind: 'fail', status: 401, body: LONG }, exit: 5 },
  'answers what is no HTTP': { action: { kind: 'garbage' }, exit: 5 },
  'answers with half of its tokens': { action: { kind: 'half' }, exit: 5 },
  'is cut off before it answers': { action: { kind: 'cut', at: 'before' }, exit: 7 },
  'is cut off in the middle of its answer': { action: { kind: 'cut', at: 'middle' }, exit: 7 },
  'is cut off when it has done its work': { action: { kind: 'cut', at: 'after' }, exit: 7 },
};

suite('row 11: a token endpoint', { concurrency: true }, () => {
  for (const [name, { action, exit }] of Object.entries(MISBEHAVIOURS)) {
    test(`that ${name} is asked once, and the session stays as it is`, async () => {
      await using world = await loggedIn({ rotate: false });
      const old = readFileSync(sessionFile(world));
      world.sandbox.expireAccessTokens();
      world.sandbox.rule(REFRESH, action);
      fails(await world.podio(['call', ITEM], nothingSet()), exit, /\S/);
      assert.equal(world.sandbox.tokenRequests(), 1);
      assert.deepEqual(readFileSync(sessionFile(world)), old);
      world.sandbox.clearRules();
      succeeds(await world.podio(['call', ITEM], nothingSet()));
    });
  }

  for (const [at, when] of [['before', 'before'] as const, ['middle', 'in the middle of'] as const]) {
    test(`that falls silent ${when} its answer is given up in time, and the session stays as it is`, async () => {
      await using world = await loggedIn({ rotate: false });
      const old = readFileSync(sessionFile(world));
      world.sandbox.rule(REFRESH, { kind: 'hang', at });
      const since = performance.now();
      await assert.rejects(inTime(renewImpatiently(world, 300)), /said nothing for 0.3 s/);
      assert.ok(performance.now() - since < 5000);
      assert.equal(world.sandbox.tokenRequests(), 1);
      assert.deepEqual(readFileSync(sessionFile(world)), old);
    });
  }

  test('that falls silent is given up by a command, long before 30 s are over, and others go on', async () => {
    await using world = await loggedIn({ rotate: false });
    world.sandbox.expireAccessTokens();
    world.sandbox.rule({ ...REFRESH, times: 1 }, { kind: 'hang', at: 'before' });
    const since = performance.now();
    const [first, second] = [
      promptly(world, ['call', ITEM], { ...nothingSet(), seconds: 25 }),
      promptly(world, ['call', ITEM], { ...nothingSet(), seconds: 25 }),
    ];
    const ends = (await Promise.all([first, second])).sort((a, b) => a.exit - b.exit);
    assert.ok(performance.now() - since < 20_000);
    assert.deepEqual(
      ends.map(({ exit }) => exit),
      [0, 7],
    );
  });

  test('that answers in drops is given up in time too, and the session stays as it is', async () => {
    await using world = await loggedIn({ rotate: false });
    const old = readFileSync(sessionFile(world));
    await using dripping = await answering((_, response) => {
      let count = 0;
      const drops = setInterval(() => (++count < 250 ? response.write(' ') : response.end()), 20);
      response.once('close', () => clearInterval(drops));
    });
    await assert.rejects(inTime(renewImpatiently(world, 300, dripping.url)), /said nothing for 0.3 s/);
    assert.deepEqual(readFileSync(sessionFile(world)), old);
  });

  test('that does not say how long its token lives has it used until a 401, and then renewed once', async () => {
    await using world = await loggedIn();
    const body = { ...(await tokensOf(world)), expires_in: undefined };
    world.sandbox.rule({ ...REFRESH, times: 1 }, { kind: 'fail', status: 200, body });
    succeeds(await world.podio(['refresh'], nothingSet()));
    const [known] = JSON.parse(succeeds(await world.podio(['status', '--offline', '--json'], nothingSet())));
    const hours = (Date.parse(known.access_ends_at) - Date.now()) / 3_600_000;
    assert.ok(hours > 7 && hours <= 8, `${hours}`);
    for (const renewals of [0, 1]) {
      world.sandbox.clearSeen();
      succeeds(await world.podio(['call', ITEM], nothingSet()));
      assert.equal(world.sandbox.tokenRequests(), renewals);
      world.sandbox.expireAccessTokens();
    }
  });

  test('that answers without a refresh token leaves the old one in force', async () => {
    await using world = await loggedIn({ omitRefreshToken: true });
    const old = recordOf(world);
    for (let round = 0; round < 2; round++) {
      world.sandbox.expireAccessTokens();
      succeeds(await world.podio(['call', ITEM], nothingSet()));
    }
    assert.equal(recordOf(world).refresh_token, old.refresh_token);
    assert.notEqual(recordOf(world).access_token, old.access_token);
  });

  test('that may have done its work is not asked with the same token before the store is looked at again', async () => {
    await using world = await loggedIn({ endFamilyOnReplay: true });
    // Due, and good for a little while yet: a call may go on with it when it could not be renewed.
    const io = { now: () => Date.now() + 28_790_000 };
    world.sandbox.rule({ ...REFRESH, times: 1 }, { kind: 'cut', at: 'before' });
    const hold = world.sandbox.hold({ path: ITEM });
    const call = world.podio(['call', ITEM], { ...nothingSet(), io });
    await inTime(hold.arrived(), 60);
    // Meanwhile somebody logs in, and the old tokens come to an end.
    const spent = recordOf(world).refresh_token;
    world.sandbox.expireAccessTokens();
    succeeds(await world.podio(['login', '--app'], { io }));
    hold.release();
    succeeds(await call);
    const sent = world.sandbox.seen.filter(({ body }) => body.includes(spent));
    assert.equal(sent.length, 1);
  });
});

suite('row 11: a 420 of the token endpoint', () => {
  test('makes all processes leave it alone, and end with 6 and the seconds left', async () => {
    await using world = await loggedIn({ rotate: false });
    world.sandbox.expireAccessTokens();
    world.sandbox.rule(REFRESH, BUSY);
    const runs = Array.from({ length: 12 }, () => world.run(['call', ITEM], nothingSet()));
    for (const done of await Promise.all(runs)) fails(done, 6, /\S/, /try again in (300|2\d\d) s/);
    assert.equal(world.sandbox.tokenRequests(), 1);
    // Not for renewals only: it is the API key that has to wait.
    fails(await world.podio(['login', '--app']), 6, /left alone/, /try again in \d+ s/);
    assert.equal(world.sandbox.tokenRequests(), 1);
  });

  test('is forgotten once its time is over', async () => {
    await using world = await loggedIn({ rotate: false });
    world.sandbox.expireAccessTokens();
    world.sandbox.rule({ ...REFRESH, times: 1 }, BUSY);
    fails(await world.podio(['call', ITEM], nothingSet()), 6, /\S/);
    const at = (seconds: number) => ({ ...nothingSet(), io: { now: () => Date.now() + seconds * 1000 } });
    fails(await world.podio(['call', ITEM], at(290)), 6, /left alone/, /try again in (9|10) s/);
    succeeds(await world.podio(['call', ITEM], at(301)));
    assert.deepEqual(readdirSync(join(dataOf(world), 'cool-downs')), []);
  });

  test('that is told by a clock which is a day ahead binds nobody else', async () => {
    await using world = await loggedIn({ rotate: false });
    world.sandbox.expireAccessTokens();
    world.sandbox.rule({ ...REFRESH, times: 1 }, BUSY);
    const ahead = { ...nothingSet(), io: { now: () => Date.now() + 86_400_000 } };
    fails(await world.podio(['refresh'], ahead), 6, /\S/);
    succeeds(await world.podio(['refresh'], nothingSet()));
  });

  test('has no say over a token that is good', async () => {
    await using world = await loggedIn();
    world.sandbox.rule(REFRESH, BUSY);
    fails(await world.podio(['refresh'], nothingSet()), 6, /\S/);
    succeeds(await world.podio(['call', ITEM], nothingSet()));
  });
});

/** A renewal by a client that waits no longer for an answer than it is told. */
function renewImpatiently(world: World, timeoutMs: number, at = world.sandbox.url): Promise<unknown> {
  const { url, accounts } = world.sandbox;
  const { id: clientId = '', secret: clientSecret } = accounts.clients[0] ?? {};
  const manager = new FileSessionManager({ apiUrl: url, clientId, folder: dirname(sessionFile(world)) });
  const session = new Session({ manager, authType: { type: 'app', identifier: '123456' } });
  const endpoint = new TokenEndpoint({ apiUrl: at, userAgent: 'test', now: Date.now, timeoutMs });
  const tokens = new SessionTokens({
    ...{ session, endpoint, clientId, clientSecret },
    ...{ login: undefined, keep: {}, now: Date.now },
  });
  return session.current().then((stale) => tokens.renew(stale));
}

/** A login by somebody who speaks to the token endpoint himself. */
async function tokensOf({ sandbox: { url, accounts } }: World): Promise<object> {
  const [{ id: client_id = '', secret: client_secret = '' } = {}] = accounts.clients;
  const [{ id: app_id = '', token: app_token = '' } = {}] = accounts.apps;
  const body = new URLSearchParams({ grant_type: 'app', client_id, client_secret, app_id, app_token });
  const answer = await fetch(`${url}/oauth/token`, { method: 'POST', body });
  return JSON.parse(await answer.text());
}

function recordOf(world: World): Record<'access_token' | 'refresh_token', string> {
  return JSON.parse(readFileSync(sessionFile(world), 'utf8'));
}

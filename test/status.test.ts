import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSandbox } from '../src/sandbox/sandbox.ts';
import type { World } from './support/cli.ts';
import { fails, filesHolding, loggedIn, nothingSet, succeeds } from './support/commands.ts';

const stored = nothingSet();

/** The one report of `podio status --json`, and the exit code. */
async function reported(world: World, ...more: string[]): Promise<Record<string, unknown>> {
  const { exit, stdout } = await world.podio(['status', '--json', ...more], stored);
  const [report] = JSON.parse(stdout);
  assert.equal(report.exit, exit);
  return report;
}

test('status tells who is logged in, where the session lies, until when, and that Podio accepts it', async () => {
  await using world = await loggedIn();
  const { exit, stdout, stderr } = await world.podio(['status'], stored);
  assert.deepEqual([exit, stderr], [0, '']);
  const lines = [
    /^app:123456, the default$/m,
    /^ {2}who {7}Deliverables$/m,
    /^ {2}how {7}as an app, with the API key podio-sandbox$/m,
    /^ {2}API {7}http:\/\/127\.0\.0\.1:\d+$/m,
    /^ {2}session {3}the file \/.+\/sessions\/app-123456-.+\.json$/m,
    /^ {2}access {4}until 2.+Z \(in 8 hours\)$/m,
    /^ {2}renewable until 2.+Z \(in 28 days\)$/m,
    /^ {2}state {5}✓ Podio accepts it$/m,
  ];
  for (const line of lines) assert.match(stdout, line);
  assert.deepEqual(
    world.sandbox.seen.map(({ path }) => path),
    ['/app/123456'],
  );
});

test('status --offline asks nobody', async () => {
  await using world = await loggedIn();
  assert.match(
    succeeds(await world.podio(['status', '--offline'], stored)),
    /can be used, as far as is known here/,
  );
  assert.deepEqual(world.sandbox.seen, []);
});

test('status --json is a list with everything that is known', async () => {
  await using world = await loggedIn();
  const { place, access_ends_at, refresh_ends_at, ...report } = await reported(world);
  assert.match(String(place), /^the file /);
  assert.ok(Date.parse(String(refresh_ends_at)) > Date.parse(String(access_ends_at)));
  assert.deepEqual(report, {
    identity: 'app:123456',
    default: true,
    type: 'app',
    who: 'Deliverables',
    api_url: world.sandbox.url,
    client_id: 'podio-sandbox',
    session_manager: 'file',
    usable: true,
    checked: true,
    exit: 0,
  });
});

test('each field of status --json is documented, in its help and in the README, and no other', async () => {
  await using world = await loggedIn();
  succeeds(await world.podio(['login', '--password', '--name', 'ada']));
  const all = async () => JSON.parse((await world.podio(['status', '--json'], stored)).stdout);
  const well: object[] = await all();
  world.sandbox.endGrants();
  const seen = new Set([...well, ...(await all())].flatMap(Object.keys));
  const help = succeeds(await world.podio(['help', 'status']));
  const readme = readFileSync('README.md', 'utf8');
  const rows = /With --json([\s\S]*?)\n\n/.exec(help)?.[1]?.match(/^ {2}\w+(, \w+)*(?= )/gm) ?? [];
  const told =
    /With `--json` it is a list([\s\S]*?)\n## /.exec(readme)?.[1]?.match(/^\| (`\w+`(, )?)+/gm) ?? [];
  for (const documented of [rows, told]) {
    const names = documented.flatMap((row) => row.match(/\w+/g) ?? []);
    assert.deepEqual(names.toSorted(), [...seen].toSorted());
  }
});

test('status shows everybody, the default first, and its exit code is that of the default', async () => {
  await using world = await loggedIn();
  await using other = await startSandbox();
  succeeds(await world.podio(['login', '--password', '--name', 'ada', '--no-default']));
  succeeds(await world.podio(['login', '--app'], { env: { PODIO_API_URL: other.url } }));
  await other.close();
  const reports = JSON.parse(succeeds(await world.podio(['status', '--json'], stored)));
  assert.deepEqual(
    reports.map(({ identity, name, api_url, exit }: Record<string, unknown>) => [
      identity,
      name,
      api_url,
      exit,
    ]),
    [
      ['app:123456', undefined, world.sandbox.url, 0],
      ['password:ada@example.com', 'ada', world.sandbox.url, 0],
      ['app:123456', undefined, other.url, 7],
    ],
  );
});

test('status of one identity is about that one alone', async () => {
  await using world = await loggedIn();
  succeeds(await world.podio(['login', '--password', '--name', 'ada']));
  for (const argv of [['app:123456'], ['--as', 'app:123456']]) {
    const reports = JSON.parse(succeeds(await world.podio(['status', '--json', ...argv], stored)));
    assert.deepEqual(
      reports.map(({ identity }: Record<string, unknown>) => identity),
      ['app:123456'],
    );
  }
  fails(await world.podio(['status', 'grace'], stored), 3, /not logged in as "grace"/, /ada, app:123456/);
});

test('status renews an expired session, as a call would', async () => {
  await using world = await loggedIn();
  world.sandbox.expireAccessTokens();
  assert.equal((await reported(world)).usable, true);
  assert.equal(world.sandbox.tokenRequests(), 1);
});

test('status of a session that has died ends with 3 and says how to log in', async () => {
  await using world = await loggedIn();
  world.sandbox.endGrants();
  const { exit, usable, problem, hint } = await reported(world);
  assert.deepEqual([exit, usable], [3, false]);
  assert.match(String(problem), /the session of app:123456 has ended/);
  assert.match(String(hint), /podio login --app 123456/);
  assert.equal((await world.podio(['status', '--offline'], stored)).exit, 0);
});

test('status --offline knows by the clock that a session cannot be renewed any more', async () => {
  await using world = await loggedIn();
  const day = 24 * 60 * 60 * 1000;
  const after = (days: number) =>
    world.podio(['status', '--offline'], { ...stored, io: { now: () => Date.now() + days * day } });
  const renewable = await after(27);
  assert.deepEqual([renewable.exit, /days ago/.test(renewable.stdout)], [0, true]);
  const ended = await after(29);
  assert.equal(ended.exit, 3);
  assert.match(
    ended.stdout,
    /state {5}✗ the session has ended\n {2}hint {6}log in again: podio login --app 123456$/m,
  );
});

const TROUBLE = [
  [5, { kind: 'fail', status: 500 }],
  [6, { kind: 'fail', status: 420, body: { error_description: 'Please wait 5 seconds' } }],
  [7, { kind: 'cut' }],
] as const;

for (const [exit, action] of TROUBLE) {
  test(`status ends with ${exit} where Podio cannot say, and still tells what is stored`, async () => {
    await using world = await loggedIn();
    world.sandbox.rule({ path: '/app/123456' }, action);
    const { problem, access_ends_at, exit: code } = await reported(world);
    assert.equal(code, exit);
    assert.match(String(problem), /\S/);
    assert.ok(Date.parse(String(access_ends_at)) > Date.now());
  });
}

test('status of a damaged session ends with 8 and tells where the file was kept', async () => {
  await using world = await loggedIn();
  const [session = ''] = filesHolding(world.home, world.sandbox.secrets);
  writeFileSync(join(world.home, session), '{"access_token":');
  const { exit, problem } = await reported(world);
  assert.equal(exit, 8);
  assert.match(String(problem), /damaged; its file was kept as .+\.corrupt-/);
});

test('status says that PODIO_ACCESS_TOKEN stands above every session', async () => {
  await using world = await loggedIn();
  const { stderr } = await world.podio(['status'], nothingSet({ PODIO_ACCESS_TOKEN: 'x' }));
  assert.match(stderr, /PODIO_ACCESS_TOKEN is set/);
});

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { World } from './support/cli.ts';
import { fails, loggedIn, NOTHING_SET, nothingSet, succeeds } from './support/commands.ts';

const APP = { id: '123456', token: '0f4c1b7a9d2e4836b5c8a1f07e6d3b92' };
const ADA = { username: 'ada@example.com', password: 'correct horse battery staple' };
const KEY = {
  PODIO_CLIENT_ID: 'podio-sandbox',
  PODIO_CLIENT_SECRET: 'sandbox-client-secret-0uMxGZ7eKqTn4Rb2',
};

const onlyKey = { env: { ...NOTHING_SET, ...KEY } };

test('an app logs in with what the environment says, and is told where its session is', async () => {
  await using world = await World.create();
  const { exit, stdout, stderr } = await world.podio(['login', '--app']);
  assert.deepEqual([exit, stdout], [0, '']);
  assert.match(
    stderr,
    /^Logged in as app:123456 until .+ \(in 8 hours\), .*; kept in the file \/.+\/sessions\/app-123456-.+\.json\.\n$/,
  );
  assert.equal(world.sandbox.tokenRequests('app'), 1);
});

test('an app logs in with its token on standard input, one line end at its end left away', async () => {
  await using world = await World.create();
  for (const end of ['', '\n', '\r\n']) {
    const stdin = APP.token + end;
    succeeds(await world.podio(['login', '--app', APP.id, '--token-stdin'], { ...onlyKey, stdin }));
  }
  const stdin = `${APP.token}\n\n`;
  fails(await world.podio(['login', '--app', APP.id, '--token-stdin'], { ...onlyKey, stdin }), 3, /refused/);
});

test('an app logs in with token and client secret from files', async () => {
  await using world = await World.create();
  const file = (name: string, text: string) => {
    writeFileSync(join(world.home, name), `${text}\n`);
    return join(world.home, name);
  };
  const files = [
    '--token-file',
    file('token', APP.token),
    '--client-secret-file',
    file('secret', KEY.PODIO_CLIENT_SECRET),
  ];
  const argv = ['login', '--app', APP.id, '--client-id', KEY.PODIO_CLIENT_ID, ...files];
  succeeds(await world.podio(argv, nothingSet()));
});

test('a user logs in with the password on standard input, from a file and from the environment', async () => {
  await using world = await World.create();
  const file = join(world.home, 'password');
  writeFileSync(file, ADA.password);
  const argv = ['login', '--password', '--username', ADA.username];
  succeeds(await world.podio([...argv, '--password-stdin'], { ...onlyKey, stdin: ADA.password }));
  succeeds(await world.podio([...argv, '--password-file', file], onlyKey));
  succeeds(await world.podio(['login', '--password']));
  succeeds(await world.podio(['call', 'GET', '/user/status'], nothingSet()));
});

test('with two-step verification on, a user gives the code, and is told so without it', async () => {
  await using world = await World.create({ otp: '424242' });
  const login = (...more: string[]) => world.podio(['login', '--password', ...more]);
  fails(await login(), 3, /two-step/, /--otp CODE/);
  fails(await login('--otp', '111111'), 3, /The code is not correct/, /code of the two-step verification/);
  assert.equal((await world.podio(['status'], nothingSet())).exit, 3);
  succeeds(await login('--otp', '424242'));
  succeeds(await world.podio(['call', '/user/status'], nothingSet()));
});

test('with --json a login prints what it did, and no token', async () => {
  await using world = await World.create();
  const login = await world.podio(['login', '--app', '--json', '--name', 'work']);
  const { identity, name, api_url, session_manager, place, expires_at } = JSON.parse(succeeds(login));
  assert.deepEqual(
    [identity, name, api_url, session_manager, login.stderr],
    ['app:123456', 'work', world.sandbox.url, 'file', ''],
  );
  assert.match(place, /sessions\/app-123456/);
  assert.ok(Date.parse(expires_at) > Date.now());
});

test('the API key is needed once: a second login takes it from the first', async () => {
  await using world = await loggedIn();
  const env = { ...NOTHING_SET, PODIO_USERNAME: ADA.username, PODIO_PASSWORD: ADA.password };
  succeeds(await world.podio(['login', '--password'], { env }));
  assert.match(
    world.sandbox.seen[0]?.body ?? '',
    /client_id=podio-sandbox&client_secret=sandbox-client-secret/,
  );
});

test('a damaged session does not stop a login that would look there for the API key', async () => {
  await using world = await loggedIn();
  succeeds(await world.podio(['login', '--password']));
  const { place } = JSON.parse(
    succeeds(await world.podio(['status', '--offline', '--json', 'app:123456'])),
  )[0];
  writeFileSync(place.replace('the file ', ''), 'no session');
  const login = ['login', '--app', APP.id, '--token-stdin'];
  succeeds(await world.podio(login, { ...nothingSet(), stdin: APP.token }));
});

test('the default is whoever logged in last, unless --no-default says to leave it', async () => {
  await using world = await loggedIn();
  const byDefault = async () =>
    JSON.parse(succeeds(await world.podio(['status', '--offline', '--json'], nothingSet())))[0].identity;
  succeeds(await world.podio(['login', '--password', '--no-default']));
  assert.equal(await byDefault(), 'app:123456');
  succeeds(await world.podio(['login', '--password']));
  assert.equal(await byDefault(), 'password:ada@example.com');
});

test('--no-default leaves everything without a default that was so', async () => {
  await using world = await World.create();
  succeeds(await world.podio(['login', '--app', '--no-default']));
  const call = ['call', 'GET', '/item/123'];
  fails(await world.podio(call, nothingSet()), 3, /not logged in/, /podio switch app:123456/);
  succeeds(await world.podio([...call, '--as', 'app:123456'], nothingSet()));
});

test('a name serves as identity, must be one, and must be free', async () => {
  await using world = await World.create();
  succeeds(await world.podio(['login', '--app', '--name', 'work']));
  succeeds(await world.podio(['call', 'GET', '/item/123', '--as', 'work'], nothingSet()));
  world.sandbox.clearSeen();
  const ada = (name: string) => world.podio(['login', '--password', '--name', name]);
  fails(await ada('work'), 2, /the name work is taken by app:123456/, /podio logout work/);
  for (const name of ['', 'app:1', '../x', 'a b', '-x', 'x'.repeat(65)]) {
    fails(await ada(name), 2, /--name/);
  }
  assert.deepEqual(world.sandbox.seen, []);
  succeeds(await world.podio(['login', '--app', '--name', 'work']));
});

test('a name is kept by a later login that does not give one', async () => {
  await using world = await World.create();
  succeeds(await world.podio(['login', '--app', '--name', 'work']));
  succeeds(await world.podio(['login', '--app']));
  succeeds(await world.podio(['call', '/item/123', '--as', 'work'], nothingSet()));
});

test('with --remember a session that has died at Podio comes back by itself, without it not', async () => {
  await using world = await loggedIn();
  const call = () => world.podio(['call', 'GET', '/item/123'], nothingSet());
  world.sandbox.endGrants();
  fails(await call(), 3, /the session of app:123456 has ended/, /podio login --app 123456/);
  succeeds(await world.podio(['login', '--app', '--remember']));
  world.sandbox.endGrants();
  succeeds(await call());
  world.sandbox.endGrants();
  succeeds(await call());
});

const MISSING: readonly (readonly [
  missing: string,
  argv: string[],
  env: Record<string, string>,
  hint: RegExp,
])[] = [
  ['how to log in', [], KEY, /podio login --app APP_ID, or podio login --password/],
  ['client id', ['--app'], {}, /--client-id ID, or PODIO_CLIENT_ID/],
  ['client secret', ['--app'], { PODIO_CLIENT_ID: 'x' }, /--client-secret-file FILE, or PODIO_CLIENT_SECRET/],
  ['app id', ['--app'], KEY, /--app APP_ID, or PODIO_APP_ID/],
  ['app token', ['--app', '1'], KEY, /--token-stdin, --token-file FILE, or PODIO_APP_TOKEN/],
  ['e-mail address', ['--password'], KEY, /--username EMAIL, or PODIO_USERNAME/],
  [
    'the password',
    ['--password', '--username', 'a'],
    KEY,
    /--password-stdin, --password-file FILE, or PODIO_PASSWORD/,
  ],
];

for (const [missing, argv, env, hint] of MISSING) {
  test(`without a terminal, a login that does not know ${missing} says how to tell it`, async () => {
    await using world = await World.create();
    const login = await world.podio(['login', ...argv], nothingSet(env));
    fails(login, 2, new RegExp(missing), hint);
    assert.deepEqual(world.sandbox.seen, []);
  });
}

test("another app's token and another user's password in the environment are not tried", async () => {
  await using world = await World.create();
  fails(await world.podio(['login', '--app', '234567']), 2, /app token is missing/);
  fails(
    await world.podio(['login', '--password', '--username', 'grace@example.com']),
    2,
    /password is missing/,
  );
  const argv = ['login', '--app', '--client-id', 'another-key'];
  fails(await world.podio(argv), 2, /client secret is missing/);
  assert.deepEqual(world.sandbox.seen, []);
});

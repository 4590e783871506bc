import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { PodioClient } from '../src/index.ts';
import type { Sandbox } from '../src/sandbox/sandbox.ts';
import { answering } from './support/answering.ts';
import { outcome, World } from './support/cli.ts';
import { filesHolding, loggedIn, nothingSet, succeeds, treeOf } from './support/commands.ts';
import { startKeyring } from './support/keyring.ts';
import { shownTree, waitForProcess } from './support/proc.ts';

const SESSIONS = '.local/share/podio/sessions';

function secretIn(text: string, { secrets }: Pick<Sandbox, 'secrets'>): string | undefined {
  return secrets.find((secret) => text.includes(secret));
}

function assertNotShown({ pid = 0 }: ChildProcess, sandbox: Sandbox): void {
  const tree = shownTree(pid);
  assert.ok(tree.length > 0);
  for (const one of tree) assert.equal(secretIn(one.arguments + one.environment, sandbox), undefined);
}

test('threat 3: no secret stands in arguments or environments while a login or a renewal goes on', async () => {
  await using world = await World.create();
  const { clients, apps, users } = world.sandbox.accounts;
  writeFileSync(join(world.home, 'secret'), clients[0]?.secret ?? '');
  const key = ['--client-id', 'podio-sandbox', '--client-secret-file', 'secret'];
  const held = async (words: string[], path: string, stdin = '') => {
    const hold = world.sandbox.hold({ path });
    const child = world.start(words, { ...nothingSet(), stdin });
    const ended = outcome(child);
    await hold.arrived();
    assertNotShown(child, world.sandbox);
    hold.release();
    succeeds(await ended);
  };
  await held(['login', '--app', '123456', '--token-stdin', ...key], '/oauth/token', apps[0]?.token);
  const asAda = ['login', '--password', '--username', 'ada@example.com', '--password-stdin'];
  await held([...asAda, ...key], '/oauth/token', users[0]?.password);
  world.sandbox.expireAccessTokens();
  await held(['call', '/item/123'], '/oauth/token');
  await held(['logout', '--revoke'], '/oauth/grant/invalidate');
});

test('threat 3: no secret stands in a lock, a reservation or any file but the session itself', async () => {
  await using world = await loggedIn();
  const tmp = join(world.home, 'tmp');
  mkdirSync(tmp);
  world.sandbox.expireAccessTokens();
  const hold = world.sandbox.hold({ grant: 'refresh_token' });
  const child = world.start(['call', '/item/123', '-v'], nothingSet({ TMPDIR: tmp, PODIO_DEBUG: '1' }));
  const ended = outcome(child);
  await hold.arrived();
  const [session = '', ...others] = filesHolding(world.home, world.sandbox.secrets);
  assert.match(session, /sessions\/app-123456-[0-9a-f]{24}\.json$/);
  assert.deepEqual(others, []);
  const names = readdirSync(join(world.home, SESSIONS)).map((name) => name.replace(/^.*\.json/, ''));
  assert.deepEqual(names.sort(), ['', '.lock', '.new']);
  hold.release();
  assert.equal(secretIn((await ended).stderr, world.sandbox), undefined);
  assert.deepEqual(filesHolding(world.home, world.sandbox.secrets), [session]);
  assert.deepEqual(treeOf(tmp), {});
});

test('threat 4: the helper gets what leads to the keychain, and neither secrets nor code of others', async () => {
  await using world = await World.create();
  const keyring = await startKeyring();
  await using _ = { [Symbol.asyncDispose]: () => keyring.close() };
  const spy = join(world.home, 'spy.cjs');
  writeFileSync(
    spy,
    `require('fs').writeFileSync(${JSON.stringify(world.home)} + '/spied-' + process.pid, '')`,
  );
  const loading = {
    NODE_OPTIONS: `--require ${spy}`,
    NODE_PATH: world.home,
    NODE_DEBUG: 'timers',
    LD_AUDIT: '',
  };
  const env = {
    ...keyring.env,
    ...loading,
    PODIO_SESSION_MANAGER: 'keychain',
    PODIO_ACCESS_TOKEN: undefined,
  };
  keyring.stop();
  const child = world.start(['login', '--app'], { env });
  const ended = outcome(child);
  const helper = await waitForProcess(child.pid ?? 0, 'keychain-helper');
  keyring.resume();
  succeeds(await ended);
  assert.equal(secretIn(helper.arguments + helper.environment, world.sandbox), undefined);
  assert.doesNotMatch(helper.environment, /^(PODIO|NODE)/m);
  assert.match(helper.environment, /^DBUS_SESSION_BUS_ADDRESS=/m);
  assert.ok(
    existsSync(join(world.home, `spied-${child.pid}`)) &&
      !existsSync(join(world.home, `spied-${helper.pid}`)),
  );
});

test("threat 4: the sandbox's child gets the sandbox's login and nothing of the user's own", async () => {
  await using world = await World.create();
  const accounts = join(world.home, 'accounts.json');
  writeFileSync(accounts, '{"users":[],"apps":[{"id":"1","token":"the sandbox has this one"}]}');
  const login = ['CLIENT_ID', 'CLIENT_SECRET', 'ACCESS_TOKEN', 'APP_ID', 'APP_TOKEN', 'USERNAME', 'PASSWORD'];
  const PODIO_SESSION_MANAGER = 'redis://ada:CANARY-MANAGER@localhost/0';
  const own = {
    ...Object.fromEntries(login.map((name) => [`PODIO_${name}`, `CANARY-${name}`])),
    PODIO_SESSION_MANAGER,
  };
  const words = [
    'sandbox',
    '--accounts',
    accounts,
    '--',
    process.execPath,
    '-p',
    'JSON.stringify(process.env)',
  ];
  const seen = JSON.parse(succeeds(await world.run(words, { env: { ...own, MINE: 'stays' } })));
  assert.doesNotMatch(JSON.stringify(seen), /CANARY/);
  assert.deepEqual([seen.MINE, seen.PODIO_APP_ID], ['stays', '1']);
  assert.equal(seen.PODIO_SESSION_MANAGER, 'redis://localhost/0');
});

test('threat 11: a token endpoint that repeats what it was asked puts no secret into a message', async () => {
  await using world = await loggedIn();
  await using echo = await answering(async (request, response) => {
    let asked = '';
    for await (const chunk of request) asked += chunk;
    const what = `${asked} ${decodeURIComponent(asked.replaceAll('+', ' '))}`;
    const body = {
      error: 'invalid',
      error_description: what,
      error_detail: what,
      error_parameters: { what },
    };
    response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const at = { env: { PODIO_API_URL: echo.url } };
  for (const words of [
    ['login', '--app'],
    ['login', '--password'],
    ['call', '/item/123', '-v'],
  ]) {
    const { stdout, stderr } = await world.podio(words, at);
    assert.match(stderr, /client_secret=\*\*\*/);
    assert.equal(secretIn(stdout + stderr, world.sandbox), undefined);
  }
  const secrets = ['CANARY &=+% app token', 'CANARY client secret'] as const;
  const client = new PodioClient({ clientId: 'any', clientSecret: secrets[1], apiUrl: echo.url });
  const error = await client.authenticateWithApp('1', secrets[0]).catch((reason: unknown) => reason);
  assert.doesNotMatch(inspect(error, { depth: null, showHidden: true }), /CANARY/);
});

test('threat 11: no failure of the library holds a secret, wherever one looks in it', async () => {
  await using world = await World.create();
  const key = { clientId: 'any', clientSecret: 'CANARY-secret', apiUrl: world.sandbox.url };
  const client = new PodioClient(key);
  const nowhere = new PodioClient({ ...key, apiUrl: 'http://127.0.0.1:1', accessToken: 'CANARY-token' });
  const unsendable = new PodioClient({ ...key, accessToken: 'CANARY\n-token' });
  const failures = await Promise.all(
    [
      client.authenticateWithApp('1', 'CANARY-app-token'),
      client.authenticateWithPassword('ada@example.com', 'CANARY-password'),
      client.authenticateWithAuthorizationCode('CANARY-code', 'http://127.0.0.1/'),
      nowhere.request('POST', '/x', { field: 'CANARY-body' }),
      unsendable.request('GET', '/x'),
    ].map((call) => call.catch((reason: unknown) => reason)),
  );
  assert.ok(failures.every((failure) => failure instanceof Error));
  for (const failure of [...failures, client, nowhere])
    assert.doesNotMatch(inspect(failure, { depth: null, showHidden: true }), /CANARY/);
});

test("threat 12: Node's own debugging and reports show no secret, http's debugging excepted", async () => {
  await using world = await World.create();
  const debugged = 'net,stream,timer,module,child_process,fs,worker,cluster,policy,source_map,tls,https';
  const [reports, NODE_OPTIONS] = [
    join(world.home, 'reports'),
    '--report-on-signal --report-uncaught-exception',
  ];
  mkdirSync(reports);
  const hold = world.sandbox.hold({ path: '/oauth/token' });
  const env = { NODE_OPTIONS: `${NODE_OPTIONS} --report-directory=${reports}`, NODE_DEBUG: debugged };
  const child = world.start(['call', '/item/123', '-v'], { env });
  const ended = outcome(child);
  await hold.arrived();
  child.kill('SIGUSR2');
  while (readdirSync(reports).length === 0) await new Promise((next) => setTimeout(next, 5));
  hold.release();
  const { exit, stderr } = await ended;
  assert.deepEqual([exit, secretIn(stderr, world.sandbox)], [0, undefined]);
  const [report = ''] = readdirSync(reports);
  const text = readFileSync(join(reports, report), 'utf8');
  assert.match(text, /"environmentVariables"/);
  assert.equal(secretIn(text, world.sandbox), undefined);
});

import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Action, SandboxAccounts } from '../src/sandbox/sandbox.ts';
import { leakedIn } from './support/canary.ts';
import { type Outcome, outcome, type RunOptions, World } from './support/cli.ts';
import { filesHolding, nothingSet, succeeds } from './support/commands.ts';

const canary = (name: string) => `CANARY-${name} &=+%"'\\ ü🎉`;

const ACCOUNTS: SandboxAccounts = {
  clients: [{ id: 'any', secret: canary('client-secret') }],
  apps: [{ id: '123456', token: canary('app-token') }],
  users: [{ id: 9001, username: 'ada@example.com', password: canary('password'), name: 'Ada' }],
};

/** Secrets that Podio knows nothing of: mistyped ones are secrets too. */
const WRONG = ['client', 'app', 'password', 'access', 'damaged', 'made-up'].map((name) =>
  canary(`wrong-${name}`),
);
const [wrongClient = '', wrongApp = '', wrongPassword = '', wrongAccess = '', damaged = '', madeUp = ''] =
  WRONG;

const TALKATIVE = { PODIO_DEBUG: 'api' };
const CALL = ['call', 'GET', '/item/123', '-v'];

/** Runs a command as talkative as it can be, and looks for secrets in all it says. */
async function quiet(
  world: World,
  argv: readonly string[],
  { env, ...rest }: RunOptions = {},
): Promise<Outcome> {
  const ended = await world.podio(argv, { ...rest, env: { ...TALKATIVE, ...env } });
  tellsNothing(world, argv, ended);
  return ended;
}

function tellsNothing({ sandbox }: World, argv: readonly string[], { stdout, stderr }: Outcome): void {
  const told = argv[0] === 'token' ? stderr : stdout + stderr;
  assert.deepEqual(leakedIn(told, [...sandbox.secrets, ...WRONG]), [], `${argv} → ${told}`);
}

test('what looks for secrets finds them in every disguise', () => {
  const secret = canary('itself');
  const disguises = [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ client_secret: secret }).toString(),
    JSON.stringify({ secret }),
    Buffer.from(secret).toString('hex'),
    ...['', 'a', 'id', 'id:'].map((before) => Buffer.from(`${before}${secret} and more`).toString('base64')),
  ];
  for (const text of disguises) assert.deepEqual(leakedIn(`before ${text} after`, [secret]), [secret], text);
  assert.deepEqual(leakedIn('CANARY', [secret]), []);
});

test('no command that succeeds tells a secret, however talkative it is made', async () => {
  await using world = await World.create({ accounts: ACCOUNTS });
  const commands = [
    ['login', '--app', '--remember', '-v'],
    ['login', '--password', '--json', '-v'],
    CALL,
    [...CALL, '-i'],
    ['status'],
    ['status', '--json', '-v'],
    ['status', '--offline'],
    ['switch', 'app:123456', '-v'],
    ['token', '-v'],
    ['token', '--header', '-v'],
    ['refresh', '-v'],
    ['refresh', '--json'],
    ['sessions', 'list'],
    ['sessions', 'list', '--json'],
    ['sessions', 'export'],
    ['help', 'environment'],
    ['logout', '--revoke', '-v'],
    ['logout', '--all', '--json'],
  ];
  for (const argv of commands) succeeds(await quiet(world, argv));
});

test('no command that fails tells a secret', async () => {
  await using world = await World.create({ accounts: ACCOUNTS });
  succeeds(await quiet(world, ['login', '--app']));
  const refused: readonly (readonly [argv: string[], options: RunOptions])[] = [
    [['login', '--app'], { env: { PODIO_APP_TOKEN: wrongApp } }],
    [['login', '--app', '1', '--token-stdin'], { stdin: wrongApp }],
    [['login', '--app'], { env: { PODIO_CLIENT_SECRET: wrongClient } }],
    [['login', '--password'], { env: { PODIO_PASSWORD: wrongPassword } }],
    [['login', '--password', '--password-stdin', '--json'], { stdin: wrongPassword }],
    [['login', `--password=${wrongPassword}`], {}],
    [['login', '--password', wrongPassword], {}],
    [['login', `-p${wrongPassword}`], {}],
    [['login', `--client-secret=${wrongClient}`], {}],
    [['login', '--app-token', wrongApp], {}],
    [CALL, { env: { PODIO_ACCESS_TOKEN: wrongAccess } }],
    [CALL, { env: { PODIO_ACCESS_TOKEN: encodeURIComponent(wrongAccess) } }],
    [[...CALL, '-H', `Authorization: OAuth2 ${wrongAccess}`], {}],
    [[...CALL, '-H', `X-Secret: ${wrongAccess}`], {}],
    [['call', 'GET', '/item/9', '-v'], {}],
    [['call', 'POST', '/x', '-v', '-d', JSON.stringify({ a: madeUp }).slice(1)], {}],
    [['call', 'POST', '/x', '-v', '-F', `a={${madeUp}`], {}],
    [['call', `https://evil.example/`], {}],
  ];
  for (const [argv, options] of refused)
    assert.notEqual((await quiet(world, argv, options)).exit, 0, argv.join(' '));
});

const ANSWERS: readonly (readonly [what: string, action: Action])[] = [
  ['garbage', { kind: 'garbage' }],
  ['HTML', { kind: 'fail', status: 200, body: `<html>${madeUp}</html>` }],
  ['half an answer', { kind: 'half' }],
  ['an answer that breaks off', { kind: 'cut', at: 'middle' }],
  ['no answer', { kind: 'cut', at: 'after' }],
  [
    'tokens that are none',
    { kind: 'fail', status: 200, body: { access_token: `${madeUp}\n`, refresh_token: madeUp } },
  ],
  ['tokens of a strange kind', { kind: 'fail', status: 200, body: { access_token: [madeUp] } }],
  ['500', { kind: 'fail', status: 500, body: `Traceback: ${madeUp}` }],
  [
    'a redirect',
    {
      kind: 'fail',
      status: 302,
      headers: { location: `http://x.example/?token=${encodeURIComponent(madeUp)}` },
    },
  ],
];

for (const [what, action] of ANSWERS) {
  test(`no secret gets out when the token endpoint answers ${what}`, async () => {
    await using world = await World.create({ accounts: ACCOUNTS });
    succeeds(await quiet(world, ['login', '--app']));
    world.sandbox.rule({ path: '/oauth/token' }, action);
    world.sandbox.expireAccessTokens();
    for (const argv of [['login', '--app'], ['login', '--password'], CALL, ['refresh'], ['status']]) {
      assert.notEqual((await quiet(world, argv)).exit, 0, argv.join(' '));
    }
    const holding = filesHolding(
      world.home,
      [...world.sandbox.secrets, ...WRONG].map((s) => JSON.stringify(s).slice(1, -1)),
    );
    for (const name of holding) assert.match(name, /\/podio\/sessions\//);
  });
}

test('a damaged session is told of without a word of what it holds', async () => {
  await using world = await World.create({ accounts: ACCOUNTS });
  const texts = [
    damaged,
    `{"version":1,"access_token":"${damaged}`,
    JSON.stringify({ version: 1, access_token: damaged }),
  ];
  for (const text of texts) {
    for (const argv of [
      CALL,
      ['status'],
      ['status', '--json'],
      ['refresh'],
      ['sessions', 'list'],
      ['logout', '--revoke'],
    ]) {
      succeeds(await quiet(world, ['login', '--app']));
      const [session = ''] = filesHolding(
        join(world.home, '.local/share/podio/sessions'),
        world.sandbox.secrets,
      );
      writeFileSync(join(world.home, '.local/share/podio/sessions', session), text);
      await quiet(world, argv, nothingSet());
      rmSync(join(world.home, '.local'), { recursive: true });
    }
  }
});

test('secrets lie in the files of the sessions and nowhere else', async () => {
  await using world = await World.create();
  succeeds(await world.podio(['login', '--app', '--remember', '--name', 'work']));
  succeeds(await world.podio(['login', '--password']));
  world.sandbox.expireAccessTokens();
  succeeds(await world.podio(CALL));
  const holding = filesHolding(world.home, world.sandbox.secrets);
  assert.equal(holding.length, 2);
  for (const name of holding) assert.match(name, /^\.local\/share\/podio\/sessions\/[^/]+\.json$/);
});

test('no secret stands in the arguments of a podio that runs', async () => {
  await using world = await World.create({ accounts: ACCOUNTS });
  for (const argv of [['login', '--app'], ['login', '--password'], CALL]) {
    const hold = world.sandbox.hold({ path: '*' });
    const child = world.start(argv);
    await hold.arrived();
    const shown = process.platform === 'linux' ? readFileSync(`/proc/${child.pid}/cmdline`, 'utf8') : '';
    assert.deepEqual(leakedIn(shown, world.sandbox.secrets), []);
    hold.release();
    const ended = await outcome(child);
    succeeds(ended);
    tellsNothing(world, argv, ended);
  }
});

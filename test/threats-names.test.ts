import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { type AuthType, FileSessionManager, isEmpty } from '../src/index.ts';
import { World } from './support/cli.ts';
import { fails, loggedIn, treeOf } from './support/commands.ts';

const NAMES = [
  ...[
    '../x',
    '../../../../etc/passwd',
    '/etc/passwd',
    'a/b',
    'a\\b',
    '..',
    '.',
    '~',
    'CON',
    'NUL.json',
    'x.lock',
  ],
  ...[
    'a\0b',
    'a\nb',
    'a\r\nb',
    ' ',
    'x'.repeat(5000),
    `${'x'.repeat(5000)}y`,
    '\u202egnp.exe',
    'a\u200bb',
    'ab',
  ],
  ...[
    'Ada@example.com',
    'ada@example.com',
    'ADA@EXAMPLE.COM',
    'å',
    'a\u030a',
    '\ud800',
    '\udfff',
    '密码',
    '%2e%2e/',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    '*',
    '$(id)',
    '`id`',
    "';--",
    '-rf',
    '"',
    'x.json',
    'x.json.new',
  ],
];

test('threat 8: whatever an identity is called, its files stay in their folder and apart from all others', async () => {
  await using world = await World.create();
  const folder = join(world.home, 'a', 'sessions');
  const manager = new FileSessionManager({ apiUrl: world.sandbox.url, clientId: '../../key', folder });
  const identities = NAMES.flatMap((identifier): AuthType[] => [
    { type: 'app', identifier },
    { type: 'password', identifier },
  ]);
  for (const one of identities) assert.ok(isEmpty(await manager.get(one)));
  for (const [at, one] of identities.entries()) await manager.set(session(`token-${at}`), one);
  for (const [at, one] of identities.entries())
    assert.equal((await manager.get(one)).accessToken, `token-${at}`, JSON.stringify(one));
  const files = readdirSync(folder);
  assert.equal(new Set(files.map((name) => name.toLowerCase().normalize())).size, identities.length);
  assert.ok(
    files.every((name) => /^[\w@.-]{1,100}\.json$/.test(name) && !name.startsWith('.')),
    files.join(),
  );
  assert.deepEqual(readdirSync(world.home), ['a']);
  assert.deepEqual(readdirSync(dirname(folder)), ['sessions']);
});

function session(accessToken: string) {
  const times = { expiresIn: 3600, obtainedAt: Date.now() };
  return { accessToken, refreshToken: 'refresh', scope: '', ref: undefined, ...times };
}

test('threat 8: a command line that names such an identity is refused, or leaves the home as it is', async () => {
  await using world = await loggedIn();
  const before = treeOf(world.home);
  for (const name of NAMES.filter((one) => one !== 'ada@example.com')) {
    for (const words of [
      ['login', '--app', name],
      ['login', '--password', '--username', name],
      ['call', '/item/123', '--as', name],
      ['call', '/item/123', '--as', `app:${name}`],
      ['switch', name],
      ['token', '--as', `password:${name}`],
    ]) {
      const { exit, stderr } = await world.podio(words);
      assert.ok([2, 3].includes(exit), `${words} ${exit} ${stderr}`);
      assert.doesNotMatch(stderr, /[^\n\x20-\x7e\u00a1-\u1fff\u3000-\udfff\ufffd]/);
    }
  }
  assert.deepEqual(treeOf(world.home), before);
});

test('threat 8: an identifier with control characters, or without end, is not even sent', async () => {
  await using world = await World.create();
  for (const name of NAMES.filter((one) => /\p{Cc}/u.test(one) || one.length > 320))
    for (const words of [
      ['login', '--password', '--username', name, '--password-stdin'],
      ['token', '--as', `app:${name}`],
    ])
      fails(
        await world.podio(words, { stdin: 'a password' }),
        2,
        /identifier .* (control characters|too long)/,
      );
  assert.deepEqual(world.sandbox.seen, []);
});

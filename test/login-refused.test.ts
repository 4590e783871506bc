import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds, treeOf } from './support/commands.ts';

const REFUSED: readonly (readonly [
  who: string,
  argv: string[],
  env: Record<string, string>,
  hint: RegExp,
])[] = [
  ['a wrong app token', ['--app'], { PODIO_APP_TOKEN: 'wrong' }, /token of app 123456/],
  ['a wrong password', ['--password'], { PODIO_PASSWORD: 'wrong' }, /e-mail address and the password/],
  [
    'an unknown user',
    ['--password'],
    { PODIO_USERNAME: 'eve@example.com' },
    /e-mail address and the password/,
  ],
  ['a wrong client secret', ['--app'], { PODIO_CLIENT_SECRET: 'wrong' }, /API key/],
  ['an unknown client id', ['--app'], { PODIO_CLIENT_ID: 'unknown' }, /API key/],
];

for (const [who, argv, env, hint] of REFUSED) {
  test(`${who} is refused, with what to check, and changes nothing that was stored`, async () => {
    await using world = await loggedIn();
    succeeds(await world.podio(['login', '--password', '--no-default']));
    const before = treeOf(world.home);
    fails(await world.podio(['login', ...argv], { env }), 3, /Podio refused the login/, hint);
    assert.deepEqual(treeOf(world.home), before);
  });

  test(`${who} leaves no file in an empty home`, async () => {
    await using world = await World.create();
    fails(await world.podio(['login', ...argv], { env }), 3, /Podio refused the login/);
    const files = Object.values(treeOf(world.home)).filter((entry) => entry.startsWith('100'));
    assert.deepEqual(files, []);
  });
}

const BROKEN = [
  [5, 'answers 500', { kind: 'fail', status: 500, body: 'oops' }],
  [5, 'answers HTML', { kind: 'fail', status: 200, body: '<html>Welcome to the hotel</html>' }],
  [5, 'answers half of it', { kind: 'half' }],
  [5, 'answers what is no HTTP', { kind: 'garbage' }],
  [5, 'redirects', { kind: 'fail', status: 302, headers: { location: 'https://evil.example/' } }],
  [6, 'has had enough', { kind: 'fail', status: 420, body: { error_description: 'wait 9 seconds' } }],
  [7, 'hangs up', { kind: 'cut' }],
] as const;

for (const [exit, what, action] of BROKEN) {
  test(`a login at a token endpoint that ${what} fails with ${exit} and changes nothing`, async () => {
    await using world = await loggedIn();
    const before = treeOf(world.home);
    world.sandbox.rule({ path: '/oauth/token' }, action);
    fails(await world.podio(['login', '--app']), exit, /./);
    assert.deepEqual(withoutCoolDowns(treeOf(world.home)), before);
    world.sandbox.clearRules();
    succeeds(await world.podio(['call', '/item/123'], nothingSet()));
  });
}

// Until when Podio wants to be left alone is no part of what is stored for anybody.
function withoutCoolDowns(tree: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).filter(([name]) => !name.includes('cool-downs')));
}

test('a secret given as the value of an option is refused and not repeated', async () => {
  await using world = await World.create();
  const secret = `s3cret'"=\n'x`;
  const ways = [
    ['--password', secret],
    [`--password=${secret}`],
    ['--token', secret],
    [`--token=${secret}`],
    [`--app-token=${secret}`],
    [`--access-token=${secret}`],
    ['--client-secret', secret],
    [`--client-secret=${secret}`],
    [`--token-stdin=${secret}`],
    [`-p${secret}`],
    [`--password-stdin=${secret}`],
    ['--app', '1', secret],
  ];
  for (const way of ways) {
    const { exit, stdout, stderr } = await world.podio(['login', ...way]);
    assert.equal(exit, 2, way.join(' '));
    assert.match(stderr, /\nhint: /);
    for (const part of ['s3cret', "'x"]) assert.ok(!(stdout + stderr).includes(part), `${way} → ${stderr}`);
  }
  assert.deepEqual(world.sandbox.seen, []);
});

test('the hint at a secret given as an option names the ways there are', async () => {
  await using world = await World.create();
  for (const option of ['--client-secret', '--token', '--app-token', '--password=x']) {
    fails(await world.podio(['login', option]), 2, /unknown option/, /secrets are never option values/);
  }
});

test('ways to log in that contradict each other are refused before anything is read or sent', async () => {
  await using world = await World.create();
  const file = join(world.home, 'secret');
  writeFileSync(file, 'x');
  const wrong = [
    ['--app', '--password'],
    ['--app', '--token-stdin', '--token-file', file],
    ['--password', '--password-stdin', '--password-file', file],
    ['--app', 'not-a-number'],
    ['--app', '1', '--token-file', join(world.home, 'missing')],
    ['--app', '1', '--token-stdin'],
  ];
  for (const argv of wrong) {
    const { exit, stderr } = await world.podio(['login', ...argv]);
    assert.equal(exit, 2, `${argv} → ${stderr}`);
    assert.match(stderr, /\nhint: \S/);
  }
  assert.deepEqual(world.sandbox.seen, []);
});

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SandboxAccounts } from '../src/sandbox/sandbox.ts';
import { World } from './support/cli.ts';
import { NOTHING_SET, nothingSet, succeeds } from './support/commands.ts';

const NASTY = ` &=+%"'\\$\`;#?/ äöüß ÅÉ 密码 🎉👩‍💻 %41%zz =&a=b `;

const ACCOUNTS: SandboxAccounts = {
  clients: [{ id: 'key & co', secret: `client${NASTY}` }],
  apps: [{ id: '123456', token: `app${NASTY}` }],
  users: [{ id: 1, username: "o'hara+ünï&co@example.com", password: `pass${NASTY}`, name: 'O’Hara' }],
};

const KEY = { PODIO_CLIENT_ID: 'key & co', PODIO_CLIENT_SECRET: `client${NASTY}` };
const [user] = ACCOUNTS.users;
const AS_USER = ['login', '--password', '--username', user?.username ?? ''];
const AS_APP = ['login', '--app', '123456'];

test('secrets full of signs, spaces, umlauts and emoji reach Podio from the environment', async () => {
  await using world = await World.create({ accounts: ACCOUNTS });
  for (const how of ['--app', '--password']) succeeds(await world.run(['login', how]));
  for (const as of ['app:123456', `password:${user?.username}`]) {
    succeeds(await world.run(['call', 'GET', '/item/123', '--as', as], nothingSet()));
  }
});

test('such secrets reach Podio on standard input', async () => {
  await using world = await World.create({ accounts: ACCOUNTS });
  const env = { ...NOTHING_SET, ...KEY };
  succeeds(await world.run([...AS_APP, '--token-stdin'], { env, stdin: `app${NASTY}\n` }));
  succeeds(await world.run([...AS_USER, '--password-stdin'], { env, stdin: `pass${NASTY}` }));
});

test('such secrets reach Podio from files', async () => {
  await using world = await World.create({ accounts: ACCOUNTS });
  const file = (name: string) => {
    const path = join(world.home, name);
    writeFileSync(path, `${name}${NASTY}\n`);
    return path;
  };
  const key = ['--client-id', KEY.PODIO_CLIENT_ID, '--client-secret-file', file('client')];
  succeeds(await world.run([...AS_APP, ...key, '--token-file', file('app')], nothingSet()));
  succeeds(await world.run([...AS_USER, '--password-file', file('pass')], nothingSet()));
});

test('a stored session renews itself with such a client secret, and logs in anew with such an app token', async () => {
  await using world = await World.create({ accounts: ACCOUNTS });
  succeeds(await world.podio(['login', '--app', '--remember']));
  const call = () => world.podio(['call', 'GET', '/item/123'], nothingSet());
  world.sandbox.expireAccessTokens();
  succeeds(await call());
  world.sandbox.endGrants();
  succeeds(await call());
  assert.deepEqual(
    world.sandbox.seen.filter(({ status }) => status === 200).map(({ grantType, path }) => grantType ?? path),
    ['app', 'refresh_token', '/item/123', 'app', '/item/123'],
  );
});

test('an e-mail address with signs in it names its session', async () => {
  await using world = await World.create({ accounts: ACCOUNTS });
  succeeds(await world.podio(['login', '--password']));
  const [report] = JSON.parse(succeeds(await world.podio(['status', '--json'], nothingSet())));
  assert.equal(report.identity, `password:${user?.username}`);
  succeeds(await world.podio(['logout', `password:${user?.username}`], nothingSet()));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveTarget } from '../src/client/target.ts';
import { startSandbox } from '../src/sandbox/sandbox.ts';
import type { World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds } from './support/commands.ts';

async function pathsSent(world: World, target: string): Promise<string[]> {
  world.sandbox.clearSeen();
  await world.podio(['call', 'GET', target]);
  return world.sandbox.seen.map(({ path, query }) => (query === '' ? path : `${path}?${query}`));
}

const KEPT = [
  '/item/123',
  '/org/',
  '/item/123?fields=items.view(micro)&x=%2F',
  '/item/123?',
  '/a%2Fb/%2e%2e/c',
  '/a/../b/./c',
  '/a//b',
  '/search/?q=a+b%20c;d&%C3%BC',
  "/item/'!*()~,;:@$&=+",
];

for (const path of KEPT) {
  test(`the path ${path} is sent exactly as written`, async () => {
    await using world = await loggedIn();
    assert.deepEqual(await pathsSent(world, path), [path === '/item/123?' ? '/item/123' : path]);
    assert.deepEqual(await pathsSent(world, world.sandbox.url + path), await pathsSent(world, path));
  });
}

test("a full URL of the API's own origin is taken in any case of its letters", async () => {
  await using world = await loggedIn();
  assert.deepEqual(await pathsSent(world, world.sandbox.url.replace('http', 'HTTP').concat('/item/123')), [
    '/item/123',
  ]);
});

test('a foreign origin is refused, however it is dressed up, and nobody is asked', async () => {
  await using world = await loggedIn();
  await using foreign = await startSandbox();
  const { url } = world.sandbox;
  const { host, port } = new URL(foreign.url);
  const targets = [
    `${foreign.url}/item/123`,
    `//${host}/item/123`,
    `/\\${host}/item/123`,
    `\\\\${host}/item/123`,
    `\\${host}`,
    `${url}@${host}/item/123`,
    `${url.replace('http://', 'http://user@')}/item/123`,
    `http://user:pass@${host}/item/123`,
    `${url}.evil.example/item/123`,
    `${url}\\@${host}/`,
    `${url}#@${host}/`,
    `${url}?@${host}/`,
    url.replace(/\d+$/, port),
    `https${url.slice(4)}/item/123`,
    `http:${host}/item/123`,
    `http:/${host}/item/123`,
    `http:///${host}/item/123`,
    ` ${foreign.url}/`,
    `\t${foreign.url}/`,
    'javascript:alert(1)',
    'file:///etc/passwd',
    `${host}/item/123`,
    'item/123',
    '',
  ];
  for (const target of targets) fails(await world.podio(['call', 'GET', target]), 2, /./);
  assert.deepEqual([world.sandbox.seen, foreign.seen], [[], []]);
});

test('what no URL holds is refused, with how to write it', async () => {
  await using world = await loggedIn();
  const wrong = [
    ['/item/a b', /%20/],
    ['/item/ü', /%C3%BC/],
    ['/item/🎉', /%F0%9F%8E%89/],
    ['/item/1#x', /%23/],
    ['/item/1\r\nx: y', /%0D/],
    ['/item/1\t', /%09/],
    ['/item/\u0000', /%00/],
  ] as const;
  for (const [path, hint] of wrong) fails(await world.podio(['call', 'GET', path]), 2, /path holds/, hint);
  assert.deepEqual(world.sandbox.seen, []);
});

test('files.podio.com is part of api.podio.com, and of no other API', () => {
  const file = 'https://files.podio.com/123';
  assert.deepEqual(resolveTarget(file, 'https://api.podio.com'), {
    origin: 'https://files.podio.com',
    path: '/123',
  });
  for (const other of [
    'https://files.podio.com.evil.example/1',
    'https://evil.example/files.podio.com',
    'http://files.podio.com/1',
  ]) {
    assert.throws(() => resolveTarget(other, 'https://api.podio.com'), /nothing was sent/);
  }
  assert.throws(() => resolveTarget(file, 'https://podio.example'), /nothing was sent/);
});

test('a GET follows redirects within its origin, and keeps its token', async () => {
  await using world = await loggedIn();
  const { sandbox } = world;
  const moved = (path: string, location: string, status = 302) =>
    sandbox.rule({ path }, { kind: 'fail', status, headers: { location } });
  moved('/one', '/two?x=1', 301);
  moved('/two', `${sandbox.url}/item/123`, 307);
  assert.equal(JSON.parse(succeeds(await world.podio(['call', 'GET', '/one']))).item_id, 123);
  assert.deepEqual(
    sandbox.seen.map(({ path, query, headers }) => [path, query, headers.authorization?.slice(0, 7)]),
    [
      ['/one', '', 'OAuth2 '],
      ['/two', 'x=1', 'OAuth2 '],
      ['/item/123', '', 'OAuth2 '],
    ],
  );
});

test('a redirect to another origin is not followed, and nothing is sent there', async () => {
  await using world = await loggedIn();
  await using foreign = await startSandbox();
  const { host } = new URL(foreign.url);
  for (const location of [
    `${foreign.url}/x`,
    `//${host}/x`,
    `http://u@${new URL(world.sandbox.url).host}/x`,
  ]) {
    world.sandbox.clearRules();
    world.sandbox.rule({ path: '/x' }, { kind: 'fail', status: 302, headers: { location } });
    fails(await world.podio(['call', 'GET', '/x']), 5, /redirects to http.+ was not sent there/);
  }
  assert.deepEqual(foreign.seen, []);
});

test('a redirect of a write, one in circles and one to nowhere are failures of the API', async () => {
  await using world = await loggedIn();
  const moved = (path: string, location: string) =>
    world.sandbox.rule({ path }, { kind: 'fail', status: 302, headers: { location } });
  moved('/circle', '/circle');
  moved('/nowhere', 'http://[');
  fails(await world.podio(['call', 'GET', '/circle']), 5, /in circles/);
  assert.equal(world.sandbox.seen.length, 6);
  fails(await world.podio(['call', 'GET', '/nowhere']), 5, /no URL/);
  world.sandbox.clearSeen();
  fails(await world.podio(['call', 'POST', '/circle', '-d', '{}']), 5, /redirects a POST/);
  assert.equal(world.sandbox.seen.length, 1);
});

test('the token endpoint is never followed elsewhere with the credentials', async () => {
  await using world = await loggedIn();
  await using foreign = await startSandbox();
  const location = `${foreign.url}/oauth/token`;
  world.sandbox.rule({ path: '/oauth/token' }, { kind: 'fail', status: 307, headers: { location } });
  world.sandbox.expireAccessTokens();
  fails(await world.podio(['call', 'GET', '/item/123'], nothingSet()), 5, /credentials were not sent there/);
  assert.deepEqual(foreign.seen, []);
});

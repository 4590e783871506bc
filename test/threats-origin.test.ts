import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure, FileSessionManager, PodioClient } from '../src/index.ts';
import { startSandbox } from '../src/sandbox/sandbox.ts';
import { World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds } from './support/commands.ts';
import { answer, RawServer, startStranger } from './support/raw-server.ts';
import { fuzzedUrls } from './support/url-fuzz.ts';

const REDIRECTS = [301, 302, 303, 307, 308];
const TOKEN = 'CANARY-access-token';

/** Ways to write an address that is not the API's own; the path of a redirect may look like any of them. */
function elsewhere(port: number, own: URL): string[] {
  return [
    `http://127.0.0.1:${port}/x`,
    `//127.0.0.1:${port}/x`,
    `\\\\127.0.0.1:${port}\\x`,
    `/\\127.0.0.1:${port}/x`,
    `http:\\\\127.0.0.1:${port}/x`,
    `HTTP://127.1:${port}/x`,
    `http://2130706433:${port}/x`,
    `http://localhost:${port}/x`,
    `http://[::1]:${port}/x`,
    `http://localhost:${own.port}/x`,
    `http://localhost.:${own.port}/x`,
    `http://${own.host}@127.0.0.1:${port}/x`,
    `http://user@${own.host}/x`,
    `http://user:password@127.0.0.1:${port}/x`,
    `http://\uff11\uff12\uff17.0.0.1:${port}/x`,
    `https://${own.host}/x`,
    'https://api.podio.com/x',
    `ftp://127.0.0.1:${port}/x`,
    'javascript:alert(1)',
  ];
}

for (const status of REDIRECTS) {
  test(`threat 1: the token never reaches another origin through a redirect with ${status}`, async () => {
    await using world = await loggedIn();
    await using stranger = await startStranger();
    for (const place of elsewhere(stranger.port, new URL(world.sandbox.url))) {
      world.sandbox.clearRules();
      const location = encodeURI(place).replace('%5B', '[').replace('%5D', ']').replaceAll('%5C', '\\');
      world.sandbox.rule({ path: '/start' }, { kind: 'fail', status, headers: { location } });
      for (const method of ['GET', 'POST']) {
        fails(await world.podio(['call', method, '/start', '-H', 'X-Mine: 1']), 5, /redirects/);
      }
    }
    assert.deepEqual(stranger.heard, []);
    assert.ok(world.sandbox.seen.every(({ path }) => path === '/start'));
  });
}

test('threat 1: a redirect within the origin is followed, five times at most, and never for what writes', async () => {
  await using world = await loggedIn();
  const move = (path: string, location: string) =>
    world.sandbox.rule({ path }, { kind: 'fail', status: 302, headers: { location } });
  move('/old', '/item/123');
  move('/circle', `${world.sandbox.url}/circle`);
  assert.equal(JSON.parse(succeeds(await world.podio(['call', '/old']))).item_id, 123);
  world.sandbox.clearSeen();
  fails(await world.podio(['call', '/circle']), 5, /in circles/);
  assert.equal(world.sandbox.seen.length, 6);
  fails(await world.podio(['call', 'DELETE', '/old']), 5, /redirects a DELETE; not repeated/);
});

test('threat 1: the token never reaches another origin named in place of a path', async () => {
  await using world = await loggedIn();
  await using stranger = await startStranger();
  for (const place of elsewhere(stranger.port, new URL(world.sandbox.url))) {
    fails(await world.podio(['call', 'GET', place]), 2, /./);
  }
  assert.deepEqual([stranger.heard, world.sandbox.seen], [[], []]);
});

test('threat 1: the token never reaches another origin, be a thousand fuzzed ones called', async () => {
  await using sandbox = await startSandbox();
  await using stranger = await startStranger();
  const client = new PodioClient({ clientId: 'any', apiUrl: sandbox.url, accessToken: TOKEN });
  const urls = fuzzedUrls(1000, { own: new URL(sandbox.url).host, foreign: stranger.port, seed: 1 });
  const refused = await countFailures(urls, (path) => client.call({ method: 'GET', path }));
  assert.deepEqual(stranger.heard, []);
  assert.ok(refused > 500 && sandbox.seen.length > 5, `${refused} refused, ${sandbox.seen.length} sent`);
});

test('threat 1: the token never reaches another origin, be the redirect to a thousand fuzzed ones', async () => {
  let location = '';
  await using api = await RawServer.start((socket, head) => {
    const isStart = head.startsWith('GET /start ');
    socket.end(isStart ? answer(307, [`Location: ${location}`]) : answer(200, []), 'latin1');
  });
  await using stranger = await startStranger();
  const client = new PodioClient({ clientId: 'any', apiUrl: api.url, accessToken: TOKEN });
  const urls = fuzzedUrls(1000, { own: new URL(api.url).host, foreign: stranger.port, seed: 2 });
  const refused = await countFailures(urls, (url) => {
    location = url;
    return client.call({ method: 'GET', path: '/start' });
  });
  assert.deepEqual(stranger.heard, []);
  assert.ok(refused > 300 && refused < 980, `${refused} refused`);
});

/** How many of the calls ended with a failure that podio foresees; any other ends the test. */
async function countFailures(
  urls: readonly string[],
  call: (url: string) => Promise<{ body: { resume(): unknown } }>,
): Promise<number> {
  let failures = 0;
  for (const url of urls) {
    try {
      (await call(url)).body.resume();
    } catch (error) {
      assert.ok(error instanceof Failure, `${JSON.stringify(url)}: ${error}`);
      failures += 1;
    }
  }
  return failures;
}

for (const status of REDIRECTS) {
  test(`threat 1: no credentials follow a token endpoint that redirects with ${status}`, async () => {
    await using world = await loggedIn();
    await using stranger = await startStranger();
    for (const location of [`http://127.0.0.1:${stranger.port}/oauth/token`, '/elsewhere']) {
      world.sandbox.clearRules();
      world.sandbox.rule({ path: '/oauth/token' }, { kind: 'fail', status, headers: { location } });
      for (const command of [['login', '--app'], ['refresh']])
        fails(await world.podio(command), 5, /the credentials were not sent there/);
    }
    assert.deepEqual(stranger.heard, []);
    assert.ok(world.sandbox.seen.every(({ path }) => path === '/oauth/token'));
    world.sandbox.clearRules();
    succeeds(await world.podio(['call', '/item/123'], nothingSet()));
  });
}

test('threat 1: neither a session nor an API key of one origin is used at another', async () => {
  await using world = await loggedIn();
  await using other = await startSandbox();
  succeeds(await world.podio(['login', '--app', '--name', 'work', '--remember']));
  const at = (...words: string[]) => world.podio([...words, '--api-url', other.url], nothingSet());
  fails(await at('call', '/item/123'), 3, /not logged in/);
  for (const as of ['work', 'app:123456']) {
    fails(await at('call', '/item/123', '--as', as), 3, /not logged in/);
    succeeds(await at('logout', '--revoke', as));
  }
  fails(await at('token'), 3, /not logged in/);
  fails(await at('login', '--app', '123456', '--client-id', 'podio-sandbox'), 2, /client secret is missing/);
  assert.deepEqual(other.seen, []);
});

test('threat 1: a client does not take the sessions that a manager keeps for another API', async () => {
  await using world = await loggedIn();
  const scope = { apiUrl: world.sandbox.url, clientId: 'podio-sandbox' };
  const sessionManager = new FileSessionManager({
    ...scope,
    folder: `${world.home}/.local/share/podio/sessions`,
  });
  const authType = { type: 'app', identifier: '123456' } as const;
  assert.ok(await new PodioClient({ ...scope, sessionManager, authType }).session());
  const other = { ...scope, sessionManager, authType, apiUrl: 'http://127.0.0.1:1' };
  assert.throws(
    () => new PodioClient(other),
    /keeps sessions of http:\/\/127\.0\.0\.1:\d+, and the client calls/,
  );
});

for (const [says, heads] of [
  ['lets nobody through', ['HTTP/1.1 407 Proxy Authentication Required', 'Content-Length: 0']],
  ['redirects', ['HTTP/1.1 302 Found', 'Location: http://127.0.0.1:1/', 'Content-Length: 0']],
  ['answers in the place of the API', ['HTTP/1.1 201 Created', 'Content-Length: 2', '', '{}']],
  ['lets through to nowhere', ['HTTP/1.1 200 OK', '']],
] as const) {
  test(`threat 1: a proxy that ${says} sees no token and is not taken for the API`, async () => {
    await using world = await World.create();
    await using proxy = await RawServer.start((socket) => socket.end(`${heads.join('\r\n')}\r\n\r\n`));
    const env = { PODIO_ACCESS_TOKEN: TOKEN, PODIO_API_URL: undefined, HTTPS_PROXY: proxy.url };
    const outcome = await world.run(['call', '/item/123'], { env });
    fails(outcome, 7, /proxy|connection was cut/);
    assert.equal(outcome.stdout, '');
    assert.match(proxy.heard.join(), /^CONNECT api\.podio\.com:443 /);
    assert.ok(!proxy.heard.join().includes(TOKEN));
  });
}

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PodioClient, UsageError } from '../src/index.ts';
import { FileSessionManager } from '../src/session/managers/file.ts';
import { IdentityRegister } from '../src/session/register.ts';
import { EMPTY_OAUTH } from '../src/values/podio-oauth.ts';
import { World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds } from './support/commands.ts';
import { dataOf } from './support/data-folder.ts';
import { startStranger } from './support/raw-server.ts';
import { startTlsServer } from './support/tls.ts';

const TOKEN = 'CANARY-access-token';

const IN_CLEAR = [
  'http://api.podio.com',
  'HTTP://API.PODIO.COM',
  'http:api.podio.com',
  'http://127.0.0.1.example.com',
  'http://127.evil.example',
  'http://localhost.example.com',
  'http://localhost.',
  'http://localhost@api.podio.com',
  'http://0.0.0.0',
  'http://[::]',
  'http://[::ffff:127.0.0.1]',
  'http://192.168.0.1',
  'ws://api.podio.com',
  'ftp://127.0.0.1',
  'javascript:1',
  'file:///etc/passwd',
];

test('threat 2: no API is talked to in clear over a network, whoever names it', async () => {
  await using world = await World.create();
  const config = join(world.home, '.config', 'podio');
  mkdirSync(config, { recursive: true });
  for (const url of IN_CLEAR) {
    const env = { PODIO_API_URL: url, PODIO_ACCESS_TOKEN: TOKEN };
    fails(await world.podio(['call', '/x'], { env }), 2, /https|more than scheme/);
    fails(await world.podio(['call', '/x', '--api-url', url]), 2, /https|more than scheme/);
    fails(await world.podio(['login', '--app', '--api-url', url]), 2, /https|more than scheme/);
    writeFileSync(join(config, 'config.json'), JSON.stringify({ api_url: url }));
    fails(await world.podio(['call', '/x'], { env: { PODIO_API_URL: undefined } }), 2, /https|more than/);
    assert.throws(() => new PodioClient({ clientId: 'any', accessToken: TOKEN, apiUrl: url }), UsageError);
  }
});

test('threat 2: a session that is stored for an API in clear is not used', async () => {
  await using world = await loggedIn();
  const identity = { apiUrl: 'http://podio.invalid', clientId: 'any', type: 'app', identifier: '1' } as const;
  const oauth = { ...EMPTY_OAUTH, accessToken: TOKEN, expiresIn: 28_800, obtainedAt: Date.now() };
  const folder = dataOf(world);
  await new FileSessionManager({ ...identity, folder: join(folder, 'sessions') }).set(oauth, identity);
  await new IdentityRegister({ folder }).add({ ...identity, name: 'clear', manager: 'file' });
  const nowhere = nothingSet({ PODIO_API_URL: undefined });
  fails(await world.podio(['call', '/x', '--as', 'clear'], nowhere), 2, /podio\.invalid is not https/);
});

for (const status of [301, 302, 303, 307, 308]) {
  test(`threat 2: a redirect with ${status} does not lead from https to http`, async () => {
    await using world = await World.create();
    await using stranger = await startStranger();
    let location = '';
    await using server = await startTlsServer(world.home, (_, response) => {
      response.writeHead(status, { location }).end();
    });
    const env = {
      PODIO_API_URL: `https://127.0.0.1:${server.port}`,
      PODIO_ACCESS_TOKEN: TOKEN,
      NODE_EXTRA_CA_CERTS: server.certificate,
    };
    for (const port of [server.port, stranger.port]) {
      location = `http://127.0.0.1:${port}/x`;
      fails(await world.run(['call', '/x'], { env }), 5, /redirects to http:.*the token was not sent there/);
    }
    assert.deepEqual(stranger.heard, []);
  });
}

test('threat 2: a server whose certificate nobody vouches for hears nothing', async () => {
  await using world = await World.create();
  let requests = 0;
  await using server = await startTlsServer(world.home, (_, response) => {
    requests += 1;
    response.end('{}');
  });
  const env = { PODIO_API_URL: `https://127.0.0.1:${server.port}` };
  fails(
    await world.run(['login', '--app'], { env }),
    7,
    /certificate of 127\.0\.0\.1:\d+ could not be verified/,
  );
  assert.equal(requests, 0);
  succeeds(await world.run(['call', '/'], { env: { ...env, ...trusting(server.certificate) } }));
  assert.equal(requests, 1);
});

function trusting(certificate: string): Record<string, string> {
  return { NODE_EXTRA_CA_CERTS: certificate, PODIO_ACCESS_TOKEN: TOKEN };
}

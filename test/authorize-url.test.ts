import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorizeUrl } from '../src/client/authorize-url.ts';
import { PodioClient, UsageError } from '../src/index.ts';
import { startSandbox } from '../src/sandbox/sandbox.ts';

const PODIO = { apiUrl: 'https://api.podio.com', clientId: 'my-key' };
const BACK = 'https://www.example.com/podio/callback?lang=en';

test('the authorize page is at podio.com, beside the API', () => {
  assert.equal(
    authorizeUrl(PODIO, BACK, { state: 's', scope: 'user:read space:all' }),
    'https://podio.com/oauth/authorize?response_type=code&client_id=my-key' +
      '&redirect_uri=https%3A%2F%2Fwww.example.com%2Fpodio%2Fcallback%3Flang%3Den&scope=user%3Aread%20space%3Aall&state=s',
  );
});

const PAGES: readonly (readonly [apiUrl: string, pages: string])[] = [
  ['https://api.podio.com', 'https://podio.com'],
  ['https://api.eu.podio.example:8443', 'https://eu.podio.example:8443'],
  ['https://podio-api.example', 'https://podio-api.example'],
  ['https://x.api.example', 'https://x.api.example'],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
];

for (const [apiUrl, pages] of PAGES) {
  test(`the authorize page of ${apiUrl} is at ${pages}`, () => {
    const client = new PodioClient({ apiUrl, clientId: 'k' });
    assert.equal(new URL(client.authorizeUrl(BACK, { state: 's' })).origin, pages);
  });
}

test('whatever stands in key, state and scope arrives as it is, and no parameter beside them', () => {
  const evil = 'a&b=c+d %20"<>#?/ü🔑\n';
  const url = new URL(authorizeUrl({ ...PODIO, clientId: evil }, BACK, { state: evil, scope: evil }));
  assert.deepEqual(
    [...url.searchParams],
    [
      ['response_type', 'code'],
      ['client_id', evil],
      ['redirect_uri', BACK],
      ['scope', evil],
      ['state', evil],
    ],
  );
  assert.equal(url.hash, '');
});

test('what no browser can be sent back to is refused', () => {
  for (const wrong of [
    '',
    '/callback',
    'javascript:alert(1)',
    'urn:ietf:wg:oauth:2.0:oob',
    `${BACK}#x`,
    'www.x.com',
  ]) {
    assert.throws(() => authorizeUrl(PODIO, wrong, { state: 's' }), UsageError);
  }
});

test('tokens that are nobody’s are not stored under no name', async () => {
  await using sandbox = await startSandbox();
  const body = { access_token: 'x', refresh_token: 'y', expires_in: 1 };
  sandbox.rule({ path: '/oauth/token' }, { kind: 'fail', status: 200, body });
  const client = new PodioClient({ apiUrl: sandbox.url, clientId: 'k', clientSecret: 's' });
  await assert.rejects(client.authenticateWithAuthorizationCode('code', BACK), /does not say who logged in/);
  assert.equal(await client.isAuthenticated(), false);
});

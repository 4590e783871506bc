import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.ts';

type Parameters = Readonly<Record<string, string>>;
type Json = Readonly<Record<string, unknown>>;

const REDIRECT = 'http://127.0.0.1:9/callback?kept=1';

function clientId({ accounts }: Sandbox): string {
  return accounts.clients[0]?.id ?? '';
}

function page(sandbox: Sandbox, parameters: Parameters): Promise<Response> {
  const asked = {
    client_id: clientId(sandbox),
    redirect_uri: REDIRECT,
    response_type: 'code',
    ...parameters,
  };
  return fetch(`${sandbox.url}/oauth/authorize?${new URLSearchParams(asked)}`);
}

function decide(sandbox: Sandbox, parameters: Parameters): Promise<Response> {
  const fields = { client_id: clientId(sandbox), redirect_uri: REDIRECT, user: '9001', ...parameters };
  const body = new URLSearchParams(fields);
  return fetch(`${sandbox.url}/oauth/authorize`, { method: 'POST', body, redirect: 'manual' });
}

function target(response: Response): URL {
  return new URL(response.headers.get('location') ?? '');
}

async function exchange(sandbox: Sandbox, code: string, redirectUri = REDIRECT): Promise<[number, Json]> {
  const [client] = sandbox.accounts.clients;
  const key = { client_id: client?.id ?? '', client_secret: client?.secret ?? '' };
  const grant = { grant_type: 'authorization_code', code, redirect_uri: redirectUri };
  const body = new URLSearchParams({ ...key, ...grant });
  const response = await fetch(`${sandbox.url}/oauth/token`, { method: 'POST', body });
  return [response.status, (await response.json()) as Json];
}

async function granted(sandbox: Sandbox, parameters: Parameters = {}): Promise<string> {
  const response = await decide(sandbox, { decision: 'grant', ...parameters });
  return target(response).searchParams.get('code') ?? '';
}

test('the authorize page is a form without script and without secrets', async () => {
  await using sandbox = await startSandbox();
  const response = await page(sandbox, { state: 's' });
  const text = await response.text();
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
  assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/);
  assert.match(text, /<form method="post" action="\/oauth\/authorize">/);
  assert.match(text, /Ada Lovelace \(ada@example\.com\)/);
  assert.doesNotMatch(text, /<script/);
  for (const secret of sandbox.secrets) assert.equal(text.includes(secret), false);
});

test('whatever the page is asked with is escaped', async () => {
  const evil = `"><script>alert('x')</script>&amp;`;
  const accounts = {
    clients: [{ id: evil, secret: 's' }],
    users: [{ id: 1, username: evil, password: 'p', name: evil }],
  };
  await using sandbox = await startSandbox({ accounts });
  const text = await (await page(sandbox, { state: evil, scope: evil })).text();
  assert.doesNotMatch(text, /<script/);
  const escaped = '&#34;&#62;&#60;script&#62;alert(&#39;x&#39;)&#60;/script&#62;&#38;amp;';
  assert.ok(text.split(escaped).length > 5, 'client, user, scope and state are all there');
});

test('granting sends the browser back with a code and the state, and the code brings tokens', async () => {
  await using sandbox = await startSandbox();
  const response = await decide(sandbox, { decision: 'grant', state: 'a&b=c ü', scope: 'user:read' });
  const url = target(response);
  assert.equal(response.status, 302);
  assert.equal(url.origin + url.pathname, 'http://127.0.0.1:9/callback');
  const { code, ...rest } = Object.fromEntries(url.searchParams);
  assert.deepEqual(rest, { kept: '1', state: 'a&b=c ü' });
  const [status, tokens] = await exchange(sandbox, code ?? '');
  assert.deepEqual([status, tokens.scope], [200, 'user:read']);
  assert.deepEqual(tokens.ref, { type: 'user', id: 9001 });
});

test('a code brings tokens once', async () => {
  await using sandbox = await startSandbox();
  const code = await granted(sandbox);
  assert.equal((await exchange(sandbox, code))[0], 200);
  const [status, { error }] = await exchange(sandbox, code);
  assert.deepEqual([status, error], [400, 'invalid_grant']);
});

test('a code is bound to its redirect address', async () => {
  await using sandbox = await startSandbox();
  const code = await granted(sandbox);
  const [status, { error }] = await exchange(sandbox, code, 'http://127.0.0.1:9/other');
  assert.deepEqual([status, error], [400, 'invalid_grant']);
  assert.equal((await exchange(sandbox, code))[0], 400);
});

test('another user can be chosen, but nobody who does not exist', async () => {
  await using sandbox = await startSandbox();
  const [, { ref }] = await exchange(sandbox, await granted(sandbox, { user: '9002' }));
  assert.deepEqual(ref, { type: 'user', id: 9002 });
  assert.equal((await decide(sandbox, { decision: 'grant', user: '1' })).status, 400);
});

test('denying sends the browser back with the reason and the state', async () => {
  await using sandbox = await startSandbox();
  const url = target(await decide(sandbox, { decision: 'deny', state: 's' }));
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    kept: '1',
    error_reason: 'user_denied',
    error: 'access_denied',
    error_description: 'The user denied your request.',
    state: 's',
  });
});

test('an unknown client, a redirect that is no web address and another response type go nowhere', async () => {
  await using sandbox = await startSandbox();
  const wrong: readonly Parameters[] = [
    { client_id: 'nobody' },
    { redirect_uri: '' },
    { redirect_uri: 'javascript:alert(1)' },
    { redirect_uri: '/relative' },
    { response_type: 'token' },
  ];
  for (const parameters of wrong) {
    for (const response of [await page(sandbox, parameters), await decide(sandbox, parameters)]) {
      assert.deepEqual([response.status, response.headers.get('location')], [400, null]);
    }
  }
});

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { type Sandbox, type SandboxOptions, startSandbox } from '../src/sandbox/sandbox.ts';

type Json = Readonly<Record<string, unknown>>;

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Json;
}

interface Caller extends AsyncDisposable {
  readonly sandbox: Sandbox;
  /** A call with a good token; an object as body goes as JSON, a text as it is. */
  readonly call: (method: string, path: string, body?: unknown) => Promise<Reply>;
}

async function loggedIn(as: 'app' | 'user', options: SandboxOptions = {}): Promise<Caller> {
  const sandbox = await startSandbox(options);
  const token = await login(sandbox, as);
  const call = (method: string, path: string, body?: unknown): Promise<Reply> =>
    send(sandbox, method, path, { authorization: `OAuth2 ${token}` }, body);
  return { sandbox, call, [Symbol.asyncDispose]: () => sandbox.close() };
}

async function login({ url, accounts }: Sandbox, as: 'app' | 'user'): Promise<unknown> {
  const [[client], [app], [user]] = [accounts.clients, accounts.apps, accounts.users];
  const who =
    as === 'app'
      ? { grant_type: 'app', app_id: app?.id ?? '', app_token: app?.token ?? '' }
      : { grant_type: 'password', username: user?.username ?? '', password: user?.password ?? '' };
  const form = { client_id: client?.id ?? '', client_secret: client?.secret ?? '', ...who };
  const response = await fetch(`${url}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
  return ((await response.json()) as Json).access_token;
}

async function send(
  { url }: Sandbox,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: unknown,
): Promise<Reply> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const typed = text === undefined ? headers : { 'content-type': 'application/json', ...headers };
  const response = await fetch(url + path, {
    method,
    headers: typed,
    ...(text !== undefined && { body: text }),
  });
  const answer = await response.text();
  const json = (answer === '' ? {} : JSON.parse(answer)) as Json;
  return { status: response.status, headers: response.headers, text: answer, json };
}

function says({ status, json }: Reply, wanted: number, error: string, description: string | null): void {
  assert.deepEqual([status, json.error, json.error_description], [wanted, error, description]);
}

test('a token is taken as OAuth2, as Bearer and from the query', async () => {
  await using sandbox = await startSandbox();
  const token = await login(sandbox, 'app');
  for (const scheme of ['OAuth2', 'Bearer']) {
    const answer = await send(sandbox, 'GET', '/item/123', { authorization: `${scheme} ${token}` });
    assert.equal(answer.status, 200);
  }
  assert.equal((await send(sandbox, 'GET', `/item/123?oauth_token=${token}`, {})).status, 200);
});

test('a bogus token is answered exactly like an expired one', async () => {
  await using sandbox = await startSandbox();
  const expired = `OAuth2 ${await login(sandbox, 'app')}`;
  sandbox.expireAccessTokens();
  const answers = await Promise.all(
    [expired, 'OAuth2 bogus', 'Bearer bogus'].map((authorization) =>
      send(sandbox, 'GET', '/user/status', { authorization }),
    ),
  );
  for (const answer of answers) {
    says(answer, 401, 'unauthorized', 'expired_token');
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="podio", error="expired_token"');
    assert.equal(answer.text, answers[0]?.text);
  }
});

test('a missing token and an empty one are told apart', async () => {
  await using sandbox = await startSandbox();
  says(await send(sandbox, 'GET', '/item/123', {}), 401, 'unauthorized', 'invalid_request');
  for (const authorization of ['OAuth2 ', 'OAuth2', 'Basic abc']) {
    const answer = await send(sandbox, 'GET', '/item/123', { authorization });
    says(answer, 400, 'Invalid authorization header', null);
  }
});

test('an error has every field of the envelope, the path without its host and a request id', async () => {
  await using caller = await loggedIn('app');
  const { headers, json } = await caller.call('GET', '/item/1?fields=items&x=1');
  assert.deepEqual(json, {
    error_parameters: {},
    error_detail: null,
    error_propagate: false,
    request: { url: '/item/1', query_string: 'fields=items&x=1', method: 'GET' },
    error_description: 'No item with id 1 could be found',
    error: 'not_found',
  });
  assert.equal(headers.get('content-type'), 'application/json; charset=utf-8');
  assert.match(headers.get('x-podio-request-id') ?? '', /^[0-9a-f]{8}$/);
});

test('every answer has a request id and the rate limit', async () => {
  await using caller = await loggedIn('app');
  for (const path of ['/item/123', '/nothing', '/user/status']) {
    const { headers } = await caller.call('GET', path);
    assert.ok(headers.get('x-podio-request-id'));
    assert.equal(headers.get('x-rate-limit-limit'), '1000');
    assert.ok(headers.get('x-rate-limit-remaining'));
  }
});

test('a path with a wrong slash, number or method is no operation', async () => {
  await using caller = await loggedIn('user');
  const nowhere = 'No matching operation could be found. No body was given.';
  for (const path of ['/item/123/', '/org', '/item/abc', '//item/123', '/Item/123', '/item/123%2f']) {
    says(await caller.call('GET', path), 404, 'not_found', nowhere);
  }
  says(await caller.call('DELETE', '/org/'), 404, 'not_found', nowhere);
  const { json } = await caller.call('POST', '/item/app/123456/filter', {});
  assert.equal(json.error_description, 'No matching operation could be found.');
});

test('item 123 is there from the start, some 4 KB of it', async () => {
  await using caller = await loggedIn('app');
  const { status, text, json } = await caller.call('GET', '/item/123');
  assert.equal(status, 200);
  assert.ok(text.length > 3500 && text.length < 5000, `${text.length} characters`);
  assert.deepEqual([json.item_id, json.app_item_id], [123, 1]);
  assert.equal((json.fields as Json[])[0]?.external_id, 'title');
});

test('the first item and the number of items can be chosen', async () => {
  await using caller = await loggedIn('app', { itemId: 7, items: 2 });
  assert.equal((await caller.call('GET', '/item/7')).status, 200);
  assert.equal((await caller.call('POST', '/item/app/123456/filter/', {})).json.total, 2);
});

test('a filter answers 30 items unless told otherwise, and pages by offset', async () => {
  await using caller = await loggedIn('app');
  const filter = (body: unknown) => caller.call('POST', '/item/app/123456/filter/', body);
  const { json } = await filter({});
  assert.deepEqual([json.total, json.filtered, (json.items as Json[]).length], [120, 120, 30]);
  const ids = new Set<unknown>();
  for (const offset of [0, 50, 100]) {
    const page = (await filter({ limit: 50, offset })).json.items as Json[];
    for (const item of page) ids.add(item.item_id);
  }
  assert.equal(ids.size, 120);
});

test('a filter takes at most 500, and whole numbers only', async () => {
  await using caller = await loggedIn('app');
  const filter = (body: unknown) => caller.call('POST', '/item/app/123456/filter/', body);
  assert.equal((await filter({ limit: 500 })).status, 200);
  for (const body of [{ limit: 501 }, { limit: -1 }, { offset: 'x' }]) {
    const { status, json } = await filter(body);
    assert.deepEqual([status, json.error], [400, 'invalid_value']);
  }
});

test('a filter on a category counts, one on a text is silently ignored', async () => {
  await using caller = await loggedIn('app');
  const filtered = async (filters: unknown): Promise<unknown> =>
    (await caller.call('POST', '/item/app/123456/filter/', { filters })).json.filtered;
  assert.equal(await filtered({ status: [1] }), 40);
  assert.equal(await filtered({ title: ['no such title'] }), 120);
});

test('a body must be a JSON object', async () => {
  await using caller = await loggedIn('app');
  const filter = (body?: string) => caller.call('POST', '/item/app/123456/filter/', body);
  says(await filter(), 400, 'invalid_value', 'Invalid value null (null): must be object');
  says(await filter('[]'), 400, 'invalid_value', 'Invalid value [] (array): must be object');
  says(await filter('"x"'), 400, 'invalid_value', 'Invalid value "x" (string): must be object');
  says(await filter('7'), 400, 'invalid_value', 'Invalid value 7 (integer): must be object');
  says(await filter('{"a":'), 400, 'invalid_value', 'Invalid value: the body is not valid JSON');
});

test('an item can be created, read, changed and deleted', async () => {
  await using caller = await loggedIn('user');
  const fields = { title: 'Neu & schön 🎉', status: 2, estimate: '3.5', 'due-date': '2026-05-01' };
  const created = await caller.call('POST', '/item/app/123456/', { fields, tags: ['a'], external_id: 'x' });
  assert.deepEqual([created.status, created.json.title], [200, 'Neu & schön 🎉']);
  const path = `/item/${created.json.item_id}`;
  const read = (await caller.call('GET', path)).json;
  assert.deepEqual([read.external_id, read.tags, read.app_item_id], ['x', ['a'], 121]);
  const changed = await caller.call('PUT', path, { fields: { title: 'Anders', estimate: [] } });
  assert.deepEqual(changed.json, { revision: 1, title: 'Anders' });
  const names = ((await caller.call('GET', path)).json.fields as Json[]).map((field) => field.external_id);
  assert.deepEqual(names, ['title', 'status', 'due-date']);
  const deleted = await caller.call('DELETE', path);
  assert.deepEqual([deleted.status, deleted.text, deleted.headers.get('content-length')], [204, '', null]);
  assert.equal((await caller.call('GET', path)).status, 404);
});

test('a change on a revision that has passed is a conflict', async () => {
  await using caller = await loggedIn('app');
  const change = (revision: number) => caller.call('PUT', '/item/123', { revision, fields: { title: 'x' } });
  assert.equal((await change(0)).status, 200);
  const { status, json } = await change(0);
  assert.deepEqual([status, json.error], [409, 'conflict']);
  assert.equal((await change(1)).status, 200);
});

test('unknown fields, values of a wrong type and a missing title are refused', async () => {
  await using caller = await loggedIn('app');
  const wrong = [
    { nothing: 1 },
    { title: 5 },
    { title: 'x', status: 9 },
    { title: 'x', 'due-date': 'soon' },
    {},
  ];
  for (const fields of wrong) {
    const { status, json } = await caller.call('POST', '/item/app/123456/', { fields });
    assert.deepEqual([status, json.error], [400, 'invalid_value'], JSON.stringify(fields));
  }
});

test('an app reaches its own items only, a user those of every app', async () => {
  await using app = await loggedIn('app');
  const { status, json } = await app.call('POST', '/item/app/234567/filter/', {});
  assert.deepEqual([status, json.error], [403, 'forbidden']);
  assert.equal((await app.call('POST', '/item/app/999/filter/', {})).status, 404);
  await using user = await loggedIn('user');
  assert.equal((await user.call('POST', '/item/app/234567/filter/', {})).json.total, 5);
});

test('an app shows its token, and what only users may see is forbidden to it', async () => {
  await using caller = await loggedIn('app');
  const [app] = caller.sandbox.accounts.apps;
  assert.equal((await caller.call('GET', '/app/123456')).json.token, app?.token);
  assert.equal((await caller.call('GET', '/user/status')).status, 403);
  assert.equal((await caller.call('GET', '/org/')).status, 403);
  assert.deepEqual(JSON.parse((await caller.call('GET', '/oauth/scope')).text)[0].permissions, ['all']);
});

test('a user sees the own status with the calendar code, and a bare list of organizations', async () => {
  await using caller = await loggedIn('user');
  const { json } = await caller.call('GET', '/user/status');
  assert.equal((json.user as Json).mail, 'ada@example.com');
  assert.ok(json.calendar_code);
  assert.ok(Array.isArray(JSON.parse((await caller.call('GET', '/org/')).text)));
});

test('invalidating the grant ends this login, invalidating the tokens ends all of the user', async () => {
  await using caller = await loggedIn('user');
  const { sandbox } = caller;
  const other = { authorization: `OAuth2 ${await login(sandbox, 'user')}` };
  assert.equal((await caller.call('POST', '/oauth/grant/invalidate')).status, 204);
  assert.equal((await caller.call('GET', '/user/status')).status, 401);
  const third = { authorization: `OAuth2 ${await login(sandbox, 'user')}` };
  assert.equal((await send(sandbox, 'POST', '/oauth/token/invalidate', other)).status, 204);
  assert.equal((await send(sandbox, 'GET', '/user/status', third)).status, 401);
});

test('over the rate limit each call is answered 420, until the window ends', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  await using caller = await loggedIn('app', { callLimit: 2 });
  const { headers } = await caller.call('GET', '/item/123');
  assert.deepEqual(
    ['limit', 'remaining'].map((name) => headers.get(`x-rate-limit-${name}`)),
    ['2', '1'],
  );
  await caller.call('GET', '/item/123');
  const text = 'You have hit the rate limit. Please wait 3600 seconds before trying again.';
  const limited = await caller.call('GET', '/item/123');
  says(limited, 420, 'rate_limit', text);
  assert.equal(limited.headers.get('x-rate-limit-remaining'), '0');
  t.mock.timers.tick(3_600_000);
  assert.equal((await caller.call('GET', '/item/123')).status, 200);
});

test('apps, users and API keys have budgets of their own', async () => {
  await using caller = await loggedIn('app', { callLimit: 1 });
  await caller.call('GET', '/item/123');
  assert.equal((await caller.call('GET', '/item/123')).status, 420);
  const user = { authorization: `OAuth2 ${await login(caller.sandbox, 'user')}` };
  assert.equal((await send(caller.sandbox, 'GET', '/item/123', user)).status, 200);
});

test('a request in absolute form, as a proxy gets it, means the same path', async () => {
  await using sandbox = await startSandbox();
  const headers = { authorization: `OAuth2 ${await login(sandbox, 'app')}` };
  const { port } = new URL(sandbox.url);
  const status = await new Promise((answered) => {
    const options = { port, host: '127.0.0.1', path: 'http://api.podio.com/item/123', headers };
    request(options, (response) => answered(response.resume().statusCode)).end();
  });
  assert.equal(status, 200);
});

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.ts';

type Json = Readonly<Record<string, unknown>>;

interface Raw {
  readonly status: number | undefined;
  readonly text: string;
  /** The code of the error that ended it; undefined where the answer came whole. */
  readonly broken: string | undefined;
}

/** One request on a socket of its own, and how it ended; after `patience` milliseconds it is given up. */
function ask(sandbox: Sandbox, path: string, patience = 5000): Promise<Raw> {
  return new Promise((ended) => {
    let [status, text]: [number | undefined, string] = [undefined, ''];
    const end = (error?: Error): void => {
      const broken = error && ((error as NodeJS.ErrnoException).code ?? error.message);
      ended({ status, text, broken });
    };
    const outgoing = request(`${sandbox.url}${path}`, { agent: false }, (response) => {
      status = response.statusCode;
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => end()).on('error', end);
    });
    outgoing.on('error', end).end();
    setTimeout(() => outgoing.destroy(new Error('impatient')), patience).unref();
  });
}

function loginForm({ accounts }: Sandbox): URLSearchParams {
  const [[client], [app]] = [accounts.clients, accounts.apps];
  const key = { client_id: client?.id ?? '', client_secret: client?.secret ?? '' };
  return new URLSearchParams({
    grant_type: 'app',
    app_id: app?.id ?? '',
    app_token: app?.token ?? '',
    ...key,
  });
}

async function login(sandbox: Sandbox): Promise<Json> {
  const response = await fetch(`${sandbox.url}/oauth/token`, { method: 'POST', body: loginForm(sandbox) });
  return (await response.json()) as Json;
}

async function itemPath(sandbox: Sandbox): Promise<string> {
  return `/item/123?oauth_token=${(await login(sandbox)).access_token}`;
}

function steer(sandbox: Sandbox, method: string, path: string, body?: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  const options = body === undefined ? { method } : { method, headers, body: JSON.stringify(body) };
  return fetch(`${sandbox.url}/sandbox/${path}`, options);
}

test('a rule makes requests that fit fail, with any status, body and headers', async () => {
  await using sandbox = await startSandbox();
  const headers = { 'retry-after': '7' };
  sandbox.rule({ path: '/item/*' }, { kind: 'fail', status: 503, body: { error: 'unavailable' }, headers });
  const response = await fetch(`${sandbox.url}/item/123`);
  assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '7']);
  assert.deepEqual(await response.json(), { error: 'unavailable' });
  assert.ok(response.headers.get('x-podio-request-id'));
  assert.equal((await fetch(`${sandbox.url}/org/`)).status, 401);
  sandbox.clearRules();
  assert.equal((await fetch(`${sandbox.url}/item/123`)).status, 401);
});

test('a rule can answer a page of HTML, as gateways do', async () => {
  await using sandbox = await startSandbox();
  const headers = { 'content-type': 'text/html' };
  sandbox.rule({}, { kind: 'fail', status: 502, body: '<h1>Bad gateway</h1>', headers });
  const { status, text } = await ask(sandbox, '/item/123');
  assert.deepEqual([status, text], [502, '<h1>Bad gateway</h1>']);
});

test('a rule can be for the nth request, for some times, for a method or for a grant', async () => {
  await using sandbox = await startSandbox();
  const fail = (status: number) => ({ kind: 'fail', status }) as const;
  sandbox.rule({ path: '/a', nth: 2 }, fail(501));
  sandbox.rule({ path: '/b', times: 1 }, fail(502));
  sandbox.rule({ method: 'POST', path: '/c' }, fail(503));
  sandbox.rule({ grant: 'refresh_token' }, fail(504));
  const statuses: unknown[] = [];
  for (const path of ['/a', '/a', '/a', '/b', '/b', '/c']) statuses.push((await ask(sandbox, path)).status);
  assert.deepEqual(statuses, [404, 501, 404, 502, 404, 404]);
  assert.ok((await login(sandbox)).access_token);
  const body = new URLSearchParams({ grant_type: 'refresh_token' });
  assert.equal((await fetch(`${sandbox.url}/oauth/token`, { method: 'POST', body })).status, 504);
});

test('a delay comes before whatever else happens', async () => {
  await using sandbox = await startSandbox();
  sandbox.rule({ path: '/item/123' }, { kind: 'delay', ms: 30 });
  sandbox.rule({ path: '/item/123', nth: 2 }, { kind: 'fail', status: 500 });
  const path = await itemPath(sandbox);
  for (const wanted of [200, 500]) {
    const start = performance.now();
    assert.equal((await ask(sandbox, path)).status, wanted);
    assert.ok(performance.now() - start >= 29);
  }
});

test('a socket can be cut before anything was done, after it, and in the middle of the answer', async () => {
  await using sandbox = await startSandbox();
  const path = await itemPath(sandbox);
  for (const at of ['before', 'after'] as const) {
    sandbox.rule({ path: '/item/123', times: 1 }, { kind: 'cut', at });
    assert.deepEqual(await ask(sandbox, path), { status: undefined, text: '', broken: 'ECONNRESET' });
  }
  sandbox.rule({ path: '/item/123', times: 1 }, { kind: 'cut', at: 'middle' });
  const { status, text, broken } = await ask(sandbox, path);
  assert.deepEqual([status, broken], [200, 'ECONNRESET']);
  assert.ok(text.length > 1000 && text.length < 3000, `${text.length} characters`);
});

test('a request cut before is not carried out, one cut after is', async () => {
  await using sandbox = await startSandbox();
  const issued = sandbox.secrets.length;
  for (const at of ['before', 'after'] as const) {
    sandbox.rule({ grant: 'app', times: 1 }, { kind: 'cut', at });
    await assert.rejects(login(sandbox));
    assert.equal(sandbox.secrets.length, at === 'before' ? issued : issued + 2);
  }
});

test('a hanging request gets no answer, or the half of one, and ends with the sandbox', async () => {
  const sandbox = await startSandbox();
  const path = await itemPath(sandbox);
  sandbox.rule({ path: '/item/123', nth: 1 }, { kind: 'hang' });
  sandbox.rule({ path: '/item/123', nth: 2 }, { kind: 'hang', at: 'middle' });
  assert.deepEqual(await ask(sandbox, path, 40), { status: undefined, text: '', broken: 'impatient' });
  const hanging = ask(sandbox, path);
  await sandbox.when({ path: '/item/123', status: 200 });
  await sandbox.close();
  const { status, broken } = await hanging;
  assert.deepEqual([status, broken], [200, 'ECONNRESET']);
});

test('garbage is no HTTP, half an answer is HTTP with half a body', async () => {
  await using sandbox = await startSandbox();
  const path = await itemPath(sandbox);
  sandbox.rule({ path: '/item/123', nth: 1 }, { kind: 'garbage' });
  sandbox.rule({ path: '/item/123', nth: 2 }, { kind: 'half' });
  assert.match((await ask(sandbox, path)).broken ?? '', /^HPE_/);
  const { status, text, broken } = await ask(sandbox, path);
  assert.deepEqual([status, broken], [200, undefined]);
  assert.throws(() => JSON.parse(text), SyntaxError);
});

test('a hold lets nobody pass until it is released', async () => {
  await using sandbox = await startSandbox();
  const hold = sandbox.hold({ path: '/item/*' });
  const answers = [1, 2, 3].map((id) => ask(sandbox, `/item/${id}`));
  await hold.arrived(3);
  assert.deepEqual([hold.waiting, sandbox.seen.map(({ status }) => status)], [3, Array(3).fill(undefined)]);
  assert.equal((await ask(sandbox, '/org/')).status, 401);
  hold.release();
  for (const { status } of await Promise.all(answers)) assert.equal(status, 401);
  assert.equal((await ask(sandbox, '/item/4')).status, 401);
});

test('a hold can wait until so many others were answered', async () => {
  await using sandbox = await startSandbox();
  const until = { match: { path: '/item/123', status: 401 }, count: 3 };
  const hold = sandbox.hold({ grant: 'app' }, until);
  const tokens = login(sandbox);
  await hold.arrived();
  await ask(sandbox, '/item/123');
  await ask(sandbox, '/item/123');
  assert.equal(hold.waiting, 1);
  await ask(sandbox, '/item/123');
  assert.ok((await tokens).access_token);
});

test('seen requests tell what was sent and what was answered, and can be forgotten', async () => {
  await using sandbox = await startSandbox();
  const before = Date.now();
  const options = { method: 'POST', body: '{"ü":1}', headers: { 'X-Mine': 'yes' } };
  await fetch(`${sandbox.url}/item/app/1/?hook=false&x=%20`, options);
  const [seen] = sandbox.seen;
  assert.ok(seen);
  const { headers, at, ...rest } = seen;
  const [path, query] = ['/item/app/1/', 'hook=false&x=%20'];
  assert.deepEqual(rest, { method: 'POST', path, query, body: '{"ü":1}', grantType: undefined, status: 401 });
  assert.equal(headers['x-mine'], 'yes');
  assert.ok(at >= before && at <= Date.now());
  sandbox.clearSeen();
  assert.equal(sandbox.seen.length, 0);
});

test('what was seen can be read and forgotten over HTTP, which leaves no trace itself', async () => {
  await using sandbox = await startSandbox();
  await login(sandbox);
  const [seen] = (await (await steer(sandbox, 'GET', 'seen')).json()) as Json[];
  assert.deepEqual([seen?.path, seen?.grantType, seen?.status], ['/oauth/token', 'app', 200]);
  assert.equal(sandbox.seen.length, 1);
  assert.equal((await steer(sandbox, 'DELETE', 'seen')).status, 204);
  assert.equal(sandbox.seen.length, 0);
});

test('rules can be made, listed and cleared over HTTP', async () => {
  await using sandbox = await startSandbox();
  const rule = { match: { path: '/x', times: 1 }, action: { kind: 'fail', status: 418 } };
  assert.equal((await steer(sandbox, 'POST', 'rules', rule)).status, 200);
  assert.equal((await ask(sandbox, '/x')).status, 418);
  assert.deepEqual(await (await steer(sandbox, 'GET', 'rules')).json(), [{ ...rule, met: 1, acted: 1 }]);
  assert.equal((await steer(sandbox, 'DELETE', 'rules')).status, 204);
  assert.deepEqual(await (await steer(sandbox, 'GET', 'rules')).json(), []);
});

test('holds can be made, listed and released over HTTP', async () => {
  await using sandbox = await startSandbox();
  const until = { match: { path: '/org/' }, count: 1 };
  await steer(sandbox, 'POST', 'holds', { match: { path: '/a' } });
  await steer(sandbox, 'POST', 'holds', { match: { path: '/b' }, until });
  const [a, b] = [ask(sandbox, '/a'), ask(sandbox, '/b')];
  await sandbox.when({}, 2);
  const waiting = (await (await steer(sandbox, 'GET', 'holds')).json()) as Json[];
  assert.deepEqual(
    waiting.map((hold) => hold.waiting),
    [1, 1],
  );
  await ask(sandbox, '/org/');
  assert.equal((await b).status, 404);
  await steer(sandbox, 'DELETE', 'holds');
  assert.equal((await a).status, 404);
});

test('tokens and logins can be ended over HTTP', async () => {
  await using sandbox = await startSandbox();
  const { access_token, refresh_token } = await login(sandbox);
  assert.equal((await steer(sandbox, 'POST', 'expire', { what: 'access' })).status, 204);
  assert.equal((await ask(sandbox, `/item/123?oauth_token=${access_token}`)).status, 401);
  await steer(sandbox, 'POST', 'expire', { what: 'grants' });
  const body = loginForm(sandbox);
  body.set('grant_type', 'refresh_token');
  body.set('refresh_token', String(refresh_token));
  assert.equal((await fetch(`${sandbox.url}/oauth/token`, { method: 'POST', body })).status, 400);
});

test('a control request that makes no sense is refused and changes nothing', async () => {
  await using sandbox = await startSandbox();
  const bodies: readonly [string, unknown][] = [
    ['rules', {}],
    ['rules', { action: { kind: 'explode' } }],
    ['rules', { action: { kind: 'toString' } }],
    ['rules', { action: { kind: 'fail' } }],
    ['rules', { action: { kind: 'fail', status: 99 } }],
    ['rules', { action: { kind: 'cut', at: 'noon' } }],
    ['rules', { match: { path: 7 }, action: { kind: 'half' } }],
    ['rules', { match: { pth: '/x' }, action: { kind: 'half' } }],
    ['holds', { match: [] }],
    ['holds', { until: { match: {}, count: 'x' } }],
    ['expire', { what: 'everything' }],
  ];
  for (const [path, body] of bodies) {
    assert.equal((await steer(sandbox, 'POST', path, body)).status, 400, JSON.stringify(body));
  }
  assert.equal((await steer(sandbox, 'GET', 'nothing')).status, 404);
  assert.equal((await ask(sandbox, '/x')).status, 404);
});

test('web pages cannot steer the sandbox or read what it saw', async () => {
  await using sandbox = await startSandbox();
  const { port } = new URL(sandbox.url);
  const status = (headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((answered) => {
      const options = { port, host: '127.0.0.1', path: '/sandbox/seen', headers };
      request(options, (response) => answered(response.resume().statusCode)).end();
    });
  assert.equal(await status({ origin: 'https://evil.example' }), 403);
  assert.equal(await status({ origin: sandbox.url }), 403);
  assert.equal(await status({ 'sec-fetch-site': 'cross-site' }), 403);
  assert.equal(await status({ host: `evil.example:${port}` }), 403);
  assert.equal(await status({ host: `127.0.0.1.evil.example:${port}` }), 403);
  assert.equal(await status({ host: `localhost:${port}` }), 200);
});

test('100 clients at once get 1000 answers', async () => {
  await using sandbox = await startSandbox({ callLimit: 10_000 });
  const path = await itemPath(sandbox);
  const client = async (): Promise<unknown[]> => {
    const statuses: unknown[] = [];
    for (let n = 0; n < 10; n += 1) {
      const response = await fetch(sandbox.url + path);
      statuses.push(response.status, ((await response.json()) as Json).item_id);
    }
    return statuses;
  };
  const all = (await Promise.all(Array.from({ length: 100 }, client))).flat();
  assert.deepEqual([all.length, new Set(all)], [2000, new Set([200, 123])]);
});

test('malformed requests and huge headers do not bring the sandbox down', async () => {
  await using sandbox = await startSandbox();
  const { port } = new URL(sandbox.url);
  const attacks = [
    'this is no HTTP\r\n\r\n',
    'GET  HTTP/1.1\r\n\r\n',
    '\0\0\0\0',
    `GET /item/123 HTTP/1.1\r\nHost: x\r\nX-Huge: ${'x'.repeat(1_000_000)}\r\n\r\n`,
    'POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\nabc',
    'POST /oauth/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n',
    'GET /item/123 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  ];
  const attack = (bytes: string): Promise<void> =>
    new Promise((over) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(bytes));
      socket.on('error', () => {}).once('close', () => over());
      socket.resume().setTimeout(50, () => socket.destroy());
    });
  await Promise.all(attacks.flatMap((bytes) => Array.from({ length: 5 }, () => attack(bytes))));
  assert.ok((await login(sandbox)).access_token);
});

test('closing twice is as good as once, and the port is free again', async () => {
  const sandbox = await startSandbox();
  await Promise.all([sandbox.close(), sandbox.close()]);
  await using again = await startSandbox({ port: Number(new URL(sandbox.url).port) });
  assert.equal(again.url, sandbox.url);
  await assert.rejects(startSandbox({ port: Number(new URL(again.url).port) }), { code: 'EADDRINUSE' });
});

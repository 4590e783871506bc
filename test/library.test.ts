import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import {
  type AuthType,
  EMPTY_OAUTH,
  FileSessionManager,
  type GivenManager,
  MemorySessionManager,
  NotLoggedInError,
  PodioClient,
  type PodioClientOptions,
  type PodioOAuth,
  StoreError,
  UsageError,
} from '../src/index.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../src/sandbox/sandbox.ts';
import { closed, Turns } from './support/wire.ts';

const APP = { type: 'app', identifier: '123456' } as const;

async function sandboxFor(t: TestContext, options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(options);
  t.after(() => sandbox.close());
  return sandbox;
}

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'podio-library-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'sessions');
}

function clientOf(sandbox: Sandbox, more: Partial<PodioClientOptions> = {}): PodioClient {
  const [key] = sandbox.accounts.clients;
  return new PodioClient({
    apiUrl: sandbox.url,
    clientId: key?.id ?? '',
    clientSecret: key?.secret,
    ...more,
  });
}

async function logIn(client: PodioClient, { accounts }: Sandbox): Promise<PodioOAuth> {
  const [app] = accounts.apps;
  return client.authenticateWithApp(String(app?.id), app?.token ?? '');
}

const refused: readonly [given: unknown, why: RegExp][] = [
  [null, /session manager is null/],
  [42, /session manager is a number/],
  [{}, /has no get and no set/],
  [{ get: async () => undefined }, /has no set/],
  [{ set: async () => undefined }, /has no get/],
  [{ get: true, set: async () => undefined }, /has no get/],
  [Promise.resolve(new MemorySessionManager()), /is a promise/],
  [class {}, /has no get and no set/],
  [
    class {
      get() {}
    },
    /has no set/,
  ],
  [() => new MemorySessionManager(), /is a function, and no class/],
  ['keychian', /no session manager "keychian"/],
  ['auto', /"auto" is for the command line/],
  ['ftp://ada:secret@example.com/x', /no session manager for ftp: URLs/],
];

for (const [given, why] of refused) {
  test(`a session manager is refused at once where it is none: ${why.source}`, () => {
    const make = () =>
      new PodioClient({ clientId: 'a', clientSecret: 'b', sessionManager: given as GivenManager });
    assert.throws(make, (error: unknown) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, why);
      assert.ok(error.hint);
      assert.doesNotMatch(`${error.message} ${error.hint}`, /secret/);
      return true;
    });
  });
}

test('a misspelt name is answered with the one that is meant', () => {
  for (const [wrong, right] of [
    ['keychian', 'keychain'],
    ['flie', 'file'],
    ['Memory', 'memory'],
  ]) {
    const make = () => new PodioClient({ clientId: 'a', sessionManager: wrong });
    assert.throws(make, { hint: new RegExp(`did you mean ${right}\\?`) });
  }
});

test('a class is made with API, API key and a folder, and its methods may answer at once', async (t) => {
  const sandbox = await sandboxFor(t);
  const stored = new Map<string, unknown>();
  const made: unknown[] = [];
  class Kept {
    constructor({ apiUrl, clientId, folder }: { apiUrl: string; clientId: string; folder: string }) {
      made.push({ apiUrl, clientId, folder });
    }
    get({ type, identifier }: { type: string; identifier: string }) {
      return stored.get(`${type}:${identifier}`);
    }
    set(oauth: PodioOAuth, { type, identifier }: { type: string; identifier: string }) {
      stored.set(`${type}:${identifier}`, oauth);
    }
  }
  const folder = folderFor(t);
  await logIn(clientOf(sandbox, { sessionManager: Kept, folder }), sandbox);
  const clientId = sandbox.accounts.clients[0]?.id;
  assert.deepEqual(made, [{ apiUrl: sandbox.url, clientId, folder }]);
  const again = clientOf(sandbox, { sessionManager: Kept, authType: APP });
  assert.equal(await again.isAuthenticated(), true);
  assert.equal(sandbox.tokenRequests(), 1);
});

test('a session that was stored is found at the first use, and no login is made', async (t) => {
  const sandbox = await sandboxFor(t);
  const options = { sessionManager: 'file', folder: folderFor(t) };
  await logIn(clientOf(sandbox, options), sandbox);
  const again = clientOf(sandbox, options);
  const item = (await again.get('/item/123')) as { item_id: number };
  assert.equal(item.item_id, 123);
  assert.equal(sandbox.tokenRequests(), 1);
});

test('without an auth type the only session serves; of several one must be named', async (t) => {
  const sandbox = await sandboxFor(t);
  const options = { sessionManager: 'file', folder: folderFor(t) };
  assert.equal(await clientOf(sandbox, options).isAuthenticated(), false);
  await assert.rejects(clientOf(sandbox, options).get('/item/123'), NotLoggedInError);
  const [user] = sandbox.accounts.users;
  await logIn(clientOf(sandbox, options), sandbox);
  await clientOf(sandbox, options).authenticateWithPassword(user?.username ?? '', user?.password ?? '');
  await assert.rejects(clientOf(sandbox, options).isAuthenticated(), (error: unknown) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /app:123456/);
    return /authType/.test(error.hint ?? '');
  });
  assert.equal(await clientOf(sandbox, { ...options, authType: APP }).isAuthenticated(), true);
});

test('a login that comes while the only session is looked for is the one that counts', async (t) => {
  const sandbox = await sandboxFor(t);
  const memory = new MemorySessionManager();
  await logIn(clientOf(sandbox, { sessionManager: memory }), sandbox);
  let listed: (found: AuthType[]) => void = () => {};
  const list = () => new Promise<AuthType[]>((resolve) => (listed = resolve));
  const sessionManager = { get: memory.get.bind(memory), set: memory.set.bind(memory), list };
  const client = clientOf(sandbox, { sessionManager });
  const looking = client.isAuthenticated();
  const [user] = sandbox.accounts.users;
  const ada = await client.authenticateWithPassword(user?.username ?? '', user?.password ?? '');
  listed([APP]);
  await looking;
  assert.equal((await client.session()).accessToken, ada.accessToken);
});

const DAY = 24 * 60 * 60 * 1000;

test('isAuthenticated tells a session that can be used or renewed from one that has ended', async () => {
  const session = {
    ...EMPTY_OAUTH,
    ...{ accessToken: 'a', refreshToken: 'r', expiresIn: 28_800, obtainedAt: 1_000_000 },
  };
  const cases: [stored: PodioOAuth, after: number, expected: boolean][] = [
    [session, DAY / 4, true],
    [session, 27 * DAY, true],
    [session, 29 * DAY, false],
    [{ ...session, refreshToken: '' }, DAY / 4, true],
    [{ ...session, refreshToken: '' }, DAY, false],
    [{ ...session, obtainedAt: 0 }, 400 * DAY, true],
    [EMPTY_OAUTH, 0, false],
  ];
  for (const [stored, after, expected] of cases) {
    const sessionManager = { get: () => stored, set: () => undefined };
    const now = () => 1_000_000 + after;
    const client = new PodioClient({ clientId: 'a', clientSecret: 'b', authType: APP, sessionManager, now });
    assert.equal(await client.isAuthenticated(), expected, JSON.stringify([stored, after]));
  }
});

test('a session is stored before the login resolves, and nothing is written at the end', async (t) => {
  const sandbox = await sandboxFor(t);
  const sets: string[] = [];
  const memory = new MemorySessionManager();
  const sessionManager = {
    get: memory.get.bind(memory),
    set: async (oauth: PodioOAuth, authType: typeof APP) => {
      await memory.set(oauth, authType);
      sets.push(oauth.accessToken);
    },
  };
  const client = clientOf(sandbox, { sessionManager });
  const first = await logIn(client, sandbox);
  assert.deepEqual(sets, [first.accessToken]);
  const second = await client.refreshAccessToken();
  assert.deepEqual(sets, [first.accessToken, second.accessToken]);
  await client.close();
  assert.equal(sets.length, 2);
  await client.clearAuthentication();
  assert.deepEqual(sets.slice(2), ['']);
});

test('many calls of one client renew an expired session once', async (t) => {
  const sandbox = await sandboxFor(t);
  const client = clientOf(sandbox);
  await logIn(client, sandbox);
  sandbox.expireAccessTokens();
  const before = sandbox.tokenRequests();
  await Promise.all(Array.from({ length: 30 }, () => client.get('/item/123')));
  assert.equal(sandbox.tokenRequests() - before, 1);
});

test('clients that share an instance with get and set alone renew its session once', async (t) => {
  const sandbox = await sandboxFor(t);
  const memory = new MemorySessionManager();
  const sessionManager = { get: memory.get.bind(memory), set: memory.set.bind(memory) };
  const clients = [1, 2, 3].map(() => clientOf(sandbox, { sessionManager, authType: APP }));
  await logIn(clientOf(sandbox, { sessionManager }), sandbox);
  sandbox.expireAccessTokens();
  await Promise.all([...clients, ...clients].map((client) => client.get('/item/123')));
  assert.equal(sandbox.tokenRequests(), 2);
});

test('clients with several identities live side by side, on one manager or on several', async (t) => {
  const sandbox = await sandboxFor(t);
  const sessionManager = new MemorySessionManager();
  const [one, other, apart] = [
    clientOf(sandbox, { sessionManager }),
    clientOf(sandbox, { sessionManager }),
    clientOf(sandbox),
  ];
  const [user] = sandbox.accounts.users;
  await logIn(one, sandbox);
  await other.authenticateWithPassword(user?.username ?? '', user?.password ?? '');
  await logIn(apart, sandbox);
  const tokens = await Promise.all(
    [one, other, apart].map(async (client) => (await client.session()).accessToken),
  );
  assert.equal(new Set(tokens).size, 3);
  await one.clearAuthentication();
  assert.deepEqual(await Promise.all([one, other, apart].map((client) => client.isAuthenticated())), [
    false,
    true,
    true,
  ]);
});

test('a refused login leaves a client with the session that it had', async (t) => {
  const sandbox = await sandboxFor(t);
  const client = clientOf(sandbox);
  await logIn(client, sandbox);
  await assert.rejects(client.authenticateWithApp('123456', 'wrong'));
  await assert.rejects(client.authenticateWithPassword('nobody@example.com', 'wrong'));
  assert.equal(((await client.get('/item/123')) as { item_id: number }).item_id, 123);
});

test('get, post, put and delete send what they are given', async (t) => {
  const sandbox = await sandboxFor(t);
  const client = clientOf(sandbox);
  await logIn(client, sandbox);
  await client.get('/item/123', { mark_as_viewed: false, fields: 'a b', left_out: undefined });
  const { item_id } = (await client.post('/item/app/123456/', { fields: { title: 'Hello' } })) as {
    item_id: number;
  };
  await client.put(`/item/${item_id}`, { fields: { title: 'Changed' } });
  assert.equal(await client.delete(`/item/${item_id}?hook=false`, { silent: true }), undefined);
  const sent = sandbox.seen
    .slice(1)
    .map(({ method, path, query }) => `${method} ${path}${query ? `?${query}` : ''}`);
  assert.deepEqual(sent, [
    'GET /item/123?mark_as_viewed=0&fields=a+b',
    'POST /item/app/123456/',
    `PUT /item/${item_id}`,
    `DELETE /item/${item_id}?hook=false&silent=1`,
  ]);
});

test('await using closes a manager that was made for the client, and no instance that was passed', async (t) => {
  const sandbox = await sandboxFor(t);
  const closed: string[] = [];
  class Kept extends MemorySessionManager {
    readonly #name: string;
    constructor(options?: unknown) {
      super();
      this.#name = options === undefined ? 'passed' : 'made';
    }
    async close() {
      closed.push(this.#name);
    }
  }
  for (const sessionManager of [Kept, new Kept()]) {
    await using client = clientOf(sandbox, { sessionManager });
    await logIn(client, sandbox);
  }
  assert.deepEqual(closed, ['made']);
});

test('close waits for the renewal that is under way', async (t) => {
  const sandbox = await sandboxFor(t);
  const events: string[] = [];
  class Kept extends MemorySessionManager {
    override async set(oauth: PodioOAuth, authType: typeof APP) {
      await super.set(oauth, authType);
      events.push('stored');
    }
    async close() {
      events.push('closed');
    }
  }
  const client = clientOf(sandbox, { sessionManager: Kept });
  await logIn(client, sandbox);
  const renewal = client.refreshAccessToken();
  await client.close();
  await renewal;
  assert.deepEqual(events, ['stored', 'stored', 'closed']);
});

test('one instance never serves two APIs', async (t) => {
  const [one, other] = [await sandboxFor(t), await sandboxFor(t)];
  const sessionManager = new MemorySessionManager();
  await logIn(clientOf(one, { sessionManager }), one);
  assert.throws(() => clientOf(other, { sessionManager, authType: APP }), /keeps sessions of/);
  const named = new FileSessionManager({ apiUrl: one.url, clientId: 'a', folder: folderFor(t) });
  assert.throws(() => clientOf(other, { sessionManager: named }), /keeps sessions of/);
});

test('a manager in trouble is a StoreError, and never "not logged in"', async (t) => {
  const sandbox = await sandboxFor(t);
  const get = () => {
    throw new Error('the disk is gone');
  };
  const client = clientOf(sandbox, { sessionManager: { get, set: get }, authType: APP });
  const asked = [
    client.isAuthenticated(),
    client.get('/item/123'),
    client.refreshAccessToken(),
    logIn(client, sandbox),
  ];
  for (const ask of asked)
    await assert.rejects(
      ask,
      (error) => error instanceof StoreError && /the disk is gone/.test(error.message),
    );
});

test('a client keeps its connection from call to call, and sends each header once, whatever its letters', async () => {
  await using server = await Turns.start(...Array(3).fill('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'));
  const client = new PodioClient({ apiUrl: server.url, clientId: 'x', accessToken: 'token' });
  await client.get('/1');
  await client.get('/2');
  const headers = {
    'Content-Type': 'text/plain',
    Host: 'evil',
    'Content-Length': '1',
    Authorization: 'mine',
  };
  const { body } = await client.call({ method: 'PATCH', path: '/3', headers });
  await text(body);
  const [heard = '', ...others] = server.heard;
  assert.deepEqual(others, []);
  const [last = ''] = heard.split('PATCH').slice(-1);
  const names = [...last.matchAll(/^([\w-]+):/gm)].map(([, name]) => name);
  assert.deepEqual(names.toSorted(), [...new Set(names)].toSorted());
  assert.match(last, /content-type: text\/plain\r\n/);
  assert.match(last, /content-length: 0\r\n/);
  assert.match(last, /authorization: OAuth2 token\r\n/);
  await client.close();
  await closed(server.sockets[0]);
});

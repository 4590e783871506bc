import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import express, { type Request, type Response } from 'express';
import session, { MemoryStore } from 'express-session';
import {
  BrowserSessionManager,
  EMPTY_OAUTH,
  isEmpty,
  PodioClient,
  type PodioOAuth,
  StoreError,
  UsageError,
} from '../src/index.ts';
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.ts';
import { sessionManagerContract } from '../src/testing.ts';

const KEY = { clientId: 'podio-sandbox', clientSecret: 'sandbox-client-secret-0uMxGZ7eKqTn4Rb2' };
const BACK = 'http://127.0.0.1/callback';
const ADA = { type: 'authorization_code', identifier: '9001' } as const;
const APP = { type: 'app', identifier: '123456' } as const;

type Work = (request: Request, response: Response) => Promise<unknown>;

/** A server whose requests do what the test says, and a browser's cookie to come with. */
class Site implements AsyncDisposable {
  readonly store = new MemoryStore();
  readonly sandbox: Sandbox;
  cookie = '';
  readonly #server;
  readonly #works: Work[] = [];

  private constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
    const app = express();
    app.use(session({ secret: 's', store: this.store, resave: false, saveUninitialized: false }));
    app.use(async (request, response) => {
      response.json({ value: await this.#works[Number(request.path.slice(1))]?.(request, response) });
    });
    app.use((error: Error, _: Request, response: Response, next: () => void) => {
      response.status(500).json({ error: error.name, message: error.message });
      void next;
    });
    this.#server = app.listen(0, '127.0.0.1');
  }

  static async create(): Promise<Site> {
    const site = new Site(await startSandbox());
    await once(site.#server, 'listening');
    return site;
  }

  /** One request of the browser; answers what the work answers. */
  async visit(work: Work, cookie = this.cookie): Promise<unknown> {
    const at = this.#works.push(work) - 1;
    const { port } = this.#server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/${at}`, { headers: { cookie } });
    const [set] = response.headers.getSetCookie();
    if (set !== undefined) this.cookie = set.split(';')[0] ?? '';
    const { value, ...failure } = (await response.json()) as { value?: unknown };
    return response.ok ? value : failure;
  }

  sessions(request: Request): BrowserSessionManager {
    return new BrowserSessionManager({ request, apiUrl: this.sandbox.url, clientId: KEY.clientId });
  }

  podio(request: Request): PodioClient {
    const options = { ...KEY, apiUrl: this.sandbox.url, authType: ADA };
    return new PodioClient({ ...options, sessionManager: this.sessions(request) });
  }

  /** Logs Ada in, with a code that Podio would have sent the browser back with. */
  async logIn(): Promise<void> {
    const form = { client_id: KEY.clientId, redirect_uri: BACK, user: '9001', decision: 'grant' };
    const body = new URLSearchParams(form);
    const granted = await fetch(`${this.sandbox.url}/oauth/authorize`, {
      method: 'POST',
      body,
      redirect: 'manual',
    });
    const code = new URL(granted.headers.get('location') ?? '').searchParams.get('code') ?? '';
    await this.visit((request) => this.podio(request).authenticateWithAuthorizationCode(code, BACK));
    this.sandbox.clearSeen();
  }

  /** The browser's session as it lies in the store. */
  stored(): string {
    return Object.values(Reflect.get(this.store, 'sessions') as Record<string, string>).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await this.sandbox.close();
  }
}

/** A promise, and what fulfils it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

const asks = (site: Site) => (request: Request) => site.podio(request).request('GET', '/user/status');

test('a plain object lies in the session, and nothing but its id in the cookie', async () => {
  await using site = await Site.create();
  await site.logIn();
  const { podio } = JSON.parse(site.stored());
  const [record] = Object.values<Record<string, unknown>>(podio);
  assert.deepEqual(
    [record?.type, record?.identifier, record?.client_secret],
    ['authorization_code', '9001', undefined],
  );
  const token = String(record?.access_token);
  assert.ok(site.sandbox.secrets.includes(token));
  assert.ok(!decodeURIComponent(site.cookie).includes(token));
  assert.deepEqual(await site.visit((request) => site.sessions(request).list()), [ADA]);
});

test('a login changes the id of the session and keeps what was set on it; a renewal changes neither', async () => {
  await using site = await Site.create();
  await site.visit(async (request) => Reflect.set(request.session, 'cart', ['book']));
  const planted = site.cookie;
  await site.logIn();
  const own = site.cookie;
  assert.notEqual(own, planted);
  assert.equal(JSON.parse(site.stored()).cart[0], 'book');
  site.sandbox.expireAccessTokens();
  assert.match(JSON.stringify(await site.visit(asks(site))), /ada@example\.com/);
  assert.equal(site.cookie, own);
  assert.deepEqual(await site.visit((request) => site.sessions(request).list(), planted), []);
});

test('of twenty requests at the same time one renews the session, and all are answered', async () => {
  await using site = await Site.create();
  await site.logIn();
  site.sandbox.expireAccessTokens();
  site.sandbox.hold({ path: '/oauth/token' }, { match: { path: '/user/status', status: 401 }, count: 20 });
  const answers = await Promise.all(Array.from({ length: 20 }, () => site.visit(asks(site))));
  for (const answer of answers) assert.match(JSON.stringify(answer), /ada@example\.com/);
  assert.equal(site.sandbox.tokenRequests('refresh_token'), 1);
});

test('an older copy that a slow request stores over the new tokens is noticed and mended', async () => {
  await using site = await Site.create();
  await site.logIn();
  const [begun, renewed] = [gate(), gate()];
  const slow = site.visit(async (request) => {
    begun.open();
    await renewed.opened;
    return Reflect.set(request.session, 'cart', ['book']);
  });
  await begun.opened;
  const old = site.stored();
  site.sandbox.expireAccessTokens();
  await site.visit(asks(site));
  const fresh = JSON.parse(site.stored()).podio;
  renewed.open();
  await slow;
  assert.deepEqual(JSON.parse(site.stored()).podio, JSON.parse(old).podio, 'the old tokens lie there again');
  assert.match(JSON.stringify(await site.visit(asks(site))), /ada@example\.com/);
  const { podio, cart } = JSON.parse(site.stored());
  assert.deepEqual([podio, cart], [fresh, ['book']]);
  assert.equal(site.sandbox.tokenRequests('refresh_token'), 1);
});

test('a slow request does not bring back a session that was logged out meanwhile', async () => {
  await using site = await Site.create();
  await site.logIn();
  const [begun, over] = [gate(), gate()];
  const slow = site.visit(async (request) => {
    site.sandbox.expireAccessTokens();
    await asks(site)(request);
    begun.open();
    await over.opened;
    return Reflect.set(request.session, 'cart', ['book']);
  });
  await begun.opened;
  await site.visit((request) => site.podio(request).clearAuthentication());
  over.open();
  await slow;
  assert.deepEqual(await site.visit((request) => site.sessions(request).list()), []);
  assert.deepEqual(await site.visit((request) => site.podio(request).isAuthenticated()), false);
});

test('a logout by a request that knows the old tokens alone ends the new ones too', async () => {
  await using site = await Site.create();
  await site.logIn();
  const [old, fresh] = [gate(), gate()];
  const [oldBegun, freshBegun] = [gate(), gate()];
  const logout = site.visit(async (request) => {
    oldBegun.open();
    await old.opened;
    return site.podio(request).clearAuthentication();
  });
  await oldBegun.opened;
  site.sandbox.expireAccessTokens();
  await site.visit(asks(site));
  const slow = site.visit(async (request) => {
    freshBegun.open();
    await fresh.opened;
    return Reflect.set(request.session, 'cart', ['book']);
  });
  await freshBegun.opened;
  old.open();
  await logout;
  fresh.open();
  await slow;
  assert.deepEqual(await site.visit((request) => site.sessions(request).list()), []);
});

test('what the request has set on its session and not saved yet survives a renewal', async () => {
  await using site = await Site.create();
  await site.logIn();
  site.sandbox.expireAccessTokens();
  await site.visit(async (request) => {
    Reflect.set(request.session, 'cart', ['book']);
    return asks(site)(request);
  });
  assert.deepEqual(JSON.parse(site.stored()).cart, ['book']);
});

test('a store that fails is told of before a refresh token is spent, and without what it was to store', async () => {
  await using site = await Site.create();
  await site.logIn();
  site.sandbox.expireAccessTokens();
  const { set } = site.store;
  site.store.set = (_, data, done) =>
    done?.(Object.assign(new Error(JSON.stringify(data)), { code: 'EFULL' }));
  const full = await site.visit(asks(site));
  site.store.set = () => {
    throw new Error('no store');
  };
  const broken = await site.visit(asks(site));
  site.store.set = set;
  assert.match(
    JSON.stringify(full),
    /"StoreError","message":"the browser's session could not be saved \(EFULL\)"/,
  );
  assert.match(JSON.stringify(broken), /could not be saved \(Error\)/);
  assert.equal(site.sandbox.tokenRequests(), 0);
  assert.match(JSON.stringify(await site.visit(asks(site))), /ada@example\.com/);
});

test('tokens that were brought and could not be saved serve the next request all the same', async () => {
  await using site = await Site.create();
  await site.logIn();
  site.sandbox.expireAccessTokens();
  const { set } = site.store;
  let saves = 0;
  site.store.set = (id, data, done) =>
    ++saves === 2 ? done?.(new Error('full')) : set.call(site.store, id, data, done);
  assert.match(JSON.stringify(await site.visit(asks(site))), /StoreError/);
  assert.match(JSON.stringify(await site.visit(asks(site))), /ada@example\.com/);
  assert.equal(site.sandbox.tokenRequests('refresh_token'), 1);
});

test('a session that has ended under a request is an error, and does not come back', async () => {
  await using site = await Site.create();
  await site.logIn();
  const ended = await site.visit(async (request) => {
    const podio = site.podio(request);
    await new Promise((done) => request.session.destroy(done));
    return podio.request('GET', '/user/status');
  });
  assert.match(JSON.stringify(ended), /StoreError.*has ended/);
  assert.equal(site.stored(), '');
});

test("another API's and another API key's session in the same browser is not this one's", async () => {
  await using site = await Site.create();
  await site.logIn();
  const others = [
    { apiUrl: 'https://api.podio.com', clientId: KEY.clientId },
    { apiUrl: site.sandbox.url, clientId: 'another' },
  ];
  for (const other of others) {
    const found = await site.visit(async (request) => {
      const sessions = new BrowserSessionManager({ request, ...other });
      return [await sessions.list(), isEmpty(await sessions.get(ADA))];
    });
    assert.deepEqual(found, [[], true]);
    const both = await site.visit(async (request) => {
      await new BrowserSessionManager({ request, ...other }).set(oauth('x'), ADA);
      return site.sessions(request).list();
    });
    assert.deepEqual(both, [ADA]);
  }
});

test('a damaged record is an error that holds none of it, and a new login replaces it', async () => {
  await using site = await Site.create();
  await site.logIn();
  await site.visit(async (request) => {
    const records: Record<string, object> = Reflect.get(request.session, 'podio');
    for (const record of Object.values(records)) Reflect.set(record, 'access_token', 'CANARY');
  });
  const damaged = JSON.stringify(await site.visit(asks(site)));
  assert.match(damaged, /the stored session is damaged/);
  assert.doesNotMatch(damaged, /CANARY/);
  await site.logIn();
  assert.match(JSON.stringify(await site.visit(asks(site))), /ada@example\.com/);
});

test('what lies in the cookie, and what is no session at all, is refused', () => {
  const wrong = [
    {},
    { session: {} },
    { session: { save() {}, regenerate() {} } },
    { session: { isNew: true } },
  ];
  for (const request of wrong) {
    assert.throws(
      () => Reflect.construct(BrowserSessionManager, [{ request, clientId: 'k' }]),
      (error) => error instanceof UsageError && /express-session/.test(error.hint ?? ''),
    );
  }
});

/** A request that is still being answered, and ends with the test. */
async function openRequest(site: Site): Promise<{ request: Request; end: () => Promise<unknown> }> {
  const over = gate();
  const arrived: { request?: Request } = {};
  const there = gate();
  const visit = site.visit(async (request) => {
    arrived.request = request;
    there.open();
    await over.opened;
  });
  // One that never ends is broken off with the server.
  visit.catch(() => undefined);
  await there.opened;
  if (arrived.request === undefined) throw new Error('no request');
  return {
    request: arrived.request,
    end: () => {
      over.open();
      return visit;
    },
  };
}

function oauth(mark: string): PodioOAuth {
  const tokens = {
    accessToken: `access-${mark}`,
    refreshToken: `refresh-${mark}`,
    appToken: mark,
    clientSecret: mark,
  };
  return {
    ...EMPTY_OAUTH,
    ...tokens,
    scope: 'global:all',
    ref: { type: 'user', id: 42 },
    expiresIn: 1,
    obtainedAt: 2,
  };
}

describe('the manager of a browser, as any manager', () => {
  let site: Site;
  const requests = new WeakMap<object, Request>();
  const open = (request: Request) => {
    const manager = site.sessions(request);
    requests.set(manager, request);
    return manager;
  };
  before(async () => {
    site = await Site.create();
  });
  after(() => site[Symbol.asyncDispose]());
  sessionManagerContract(async () => open((await openRequest(site)).request), {
    reopen: (manager) => open(requests.get(manager) as Request),
    // As express-session leaves a request whose store is away.
    breakStore: (manager) => Reflect.deleteProperty(requests.get(manager) ?? {}, 'session'),
  });
});

describe('the requests of a browser', () => {
  test('gives back each session as it was stored, mixes none up, and forgets the empty one, twice', async () => {
    await using site = await Site.create();
    const { request, end } = await openRequest(site);
    const sessions = site.sessions(request);
    assert.ok(isEmpty(await sessions.get(APP)));
    await sessions.set(oauth('a'), APP);
    await sessions.set(oauth('b'), ADA);
    await sessions.set(oauth('c'), APP);
    assert.deepEqual([await sessions.get(APP), await sessions.get(ADA)], [oauth('c'), oauth('b')]);
    assert.deepEqual(await sessions.list(), [ADA, APP]);
    await sessions.set(EMPTY_OAUTH, APP);
    await sessions.set(EMPTY_OAUTH, APP);
    assert.deepEqual(await sessions.list(), [ADA]);
    await end();
  });

  test('lets one at a time hold the lock of a session, and reads what the one before has stored', async () => {
    await using site = await Site.create();
    await site.visit((request) => site.sessions(request).set({ ...oauth('a'), expiresIn: 0 }, APP));
    const open = await Promise.all(Array.from({ length: 8 }, () => openRequest(site)));
    await Promise.all(
      open.map(async ({ request }) => {
        const sessions = site.sessions(request);
        const release = await sessions.lock(APP);
        const stored = await sessions.get(APP);
        await sessions.set({ ...stored, expiresIn: stored.expiresIn + 1 }, APP);
        await release();
        await release();
      }),
    );
    for (const { end } of open) await end();
    const stored = await site.visit((request) => site.sessions(request).get(APP));
    assert.equal((stored as PodioOAuth).expiresIn, 8);
  });

  test('tells a store that does not answer from one that has nothing', async () => {
    await using site = await Site.create();
    await site.visit((request) => site.sessions(request).set(oauth('a'), APP));
    const { request, end } = await openRequest(site);
    const { get } = site.store;
    site.store.get = (_, done) => done(new Error('gone'));
    const sessions = site.sessions(request);
    const release = await sessions.lock(APP);
    await assert.rejects(
      sessions.get(APP),
      (error) => error instanceof StoreError && /could not be read/.test(error.message),
    );
    await release();
    site.store.get = get;
    assert.deepEqual(await sessions.get(APP), oauth('a'));
    await end();
  });
});

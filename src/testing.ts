import strict from 'node:assert/strict';
import { test as nodeTest } from 'node:test';
import { CheckedManager } from './session/managers/checked.ts';
import { checkManager } from './session/managers/given.ts';
import type { OwnSessionManager } from './session/managers/own-session-manager.ts';
import { Session } from './session/session.ts';
import { EMPTY_OAUTH, isEmpty, type PodioOAuth } from './values/podio-oauth.ts';
import type { AuthType, SessionManager } from './values/session-manager.ts';

/** Makes a manager whose store is its own and empty. Called anew for each test. */
export type CreateManager = () => OwnSessionManager | Promise<OwnSessionManager>;

/** The two assertions that the contract makes: those of node:assert, of chai, or of your own. */
export interface ContractAssert {
  ok(value: unknown, message?: string): void;
  deepEqual(actual: unknown, expected: unknown, message?: string): void;
}

/** How to run the contract; everything has a default. */
export interface ContractOptions {
  /** Declares a test: `test` of node:test unless told; that of Jest, Vitest or Mocha (`it`) does as well. */
  readonly test?: (name: string, work: () => Promise<void>) => unknown;
  readonly assert?: ContractAssert;
  /** A second manager over the same store, as another process would have: proves that sessions and locks reach it. */
  readonly reopen?: (manager: OwnSessionManager) => OwnSessionManager | Promise<OwnSessionManager>;
  /** Breaks the store so that nothing can be read or written: proves that trouble is never told as "no session". */
  readonly breakStore?: (manager: OwnSessionManager) => unknown;
  /** How many sessions to store at the same time: 20. */
  readonly atOnce?: number;
}

/**
 * Declares the tests that every session manager must pass. Each of them gets a manager from `create`, and closes it
 * in the end. What a manager leaves out (list, lock, reserve) is not asked for.
 */
export function sessionManagerContract(create: CreateManager, options: ContractOptions = {}): void {
  const { test = nodeTest, assert = strict } = options;
  for (const { name, prove, isMeant = () => true } of PROMISES) {
    if (isMeant(options)) test(name, () => proven(create, { ...options, assert }, prove));
  }
}

interface Proof {
  readonly own: OwnSessionManager;
  readonly manager: SessionManager;
  readonly assert: ContractAssert;
  readonly options: ContractOptions;
}

interface Promised {
  readonly name: string;
  readonly isMeant?: (options: ContractOptions) => boolean;
  readonly prove: (proof: Proof) => Promise<void>;
}

async function proven(
  create: CreateManager,
  options: ContractOptions & { readonly assert: ContractAssert },
  prove: Promised['prove'],
): Promise<void> {
  const own = await create();
  checkManager(own);
  const manager = guarded(own);
  try {
    await prove({ own, manager, assert: options.assert, options });
  } finally {
    await manager.close?.();
  }
}

const PROMISES: readonly Promised[] = [
  { name: 'answers no session where it has none', prove: hasNone },
  { name: 'gives back every field of a session as it was stored', prove: givesBack },
  { name: 'gives back the session that was stored last', prove: overwrites },
  { name: 'forgets a session that is set to the empty PodioOAuth, and can do so twice', prove: forgets },
  { name: 'keeps apart auth types and identifiers, however they are written', prove: keepsApart },
  { name: 'stores and answers many sessions at the same time', prove: servesMany },
  { name: 'lists the sessions that it has, if it lists', prove: lists },
  { name: 'lets one at a time change a session, if it locks', prove: locks },
  { name: 'keeps the session that it has when a new one does not come', prove: survives },
  {
    name: 'shares its sessions with others over the same store',
    isMeant: ({ reopen }) => reopen !== undefined,
    prove: shares,
  },
  {
    name: 'fails where its store is broken, and never answers that there is no session',
    isMeant: ({ breakStore }) => breakStore !== undefined,
    prove: fails,
  },
];

const APP: AuthType = { type: 'app', identifier: '123456' };

async function hasNone({ manager, assert }: Proof): Promise<void> {
  assert.ok(isEmpty(await manager.get(APP)), 'get answers a session that nobody has stored');
}

async function givesBack({ manager, assert }: Proof): Promise<void> {
  const full = { ...oauth('full'), clientSecret: '& = + % " \' \\ ü 🔑 \u2028', appToken: 'app token' };
  const ofAnApp = { ...oauth('app'), ref: { type: 'app', id: 2_147_483_648 }, scope: '' };
  const long = { ...oauth('long'), accessToken: 'a'.repeat(1500), refreshToken: 'r'.repeat(1500) };
  for (const stored of [full, ofAnApp, long]) {
    await manager.set(stored, APP);
    assert.deepEqual(present(await manager.get(APP)), present(stored));
  }
}

async function overwrites({ manager, assert }: Proof): Promise<void> {
  const longer = { ...oauth('first'), clientSecret: 'a secret that the next one does not have' };
  for (const stored of [longer, oauth('second')]) await manager.set(stored, APP);
  assert.deepEqual(present(await manager.get(APP)), present(oauth('second')));
}

async function forgets({ manager, assert }: Proof): Promise<void> {
  await manager.set(oauth('kept'), { ...APP, identifier: '654321' });
  await manager.set(oauth('forgotten'), APP);
  await manager.set(EMPTY_OAUTH, APP);
  await manager.set(EMPTY_OAUTH, APP);
  assert.ok(isEmpty(await manager.get(APP)), 'the session is still there');
  assert.ok(!isEmpty(await manager.get({ ...APP, identifier: '654321' })), 'another session is gone as well');
}

const IDENTIFIERS: readonly string[] = [
  ...['1', '01', '1 ', 'Ada@example.com', 'ada@example.com', 'ada+ß@example.com', 'é', 'e\u0301', '🔑'],
  ...[
    '../1',
    'a/b',
    'a\\b',
    'a:b',
    '..',
    '*%?#',
    "1' OR '1'='1",
    'a"."b',
    '[1]',
    '__proto__',
    'x'.repeat(320),
  ],
];

async function keepsApart({ manager, assert }: Proof): Promise<void> {
  const apps = IDENTIFIERS.map((identifier): AuthType => ({ type: 'app', identifier }));
  const others: AuthType[] = [
    { type: 'password', identifier: '1' },
    { type: 'authorization_code', identifier: '1' },
  ];
  const all = [...apps, ...others];
  for (const [at, authType] of all.entries()) {
    assert.ok(isEmpty(await manager.get(authType)), `${JSON.stringify(authType)} has another's session`);
    await manager.set(oauth(`number-${at}`), authType);
  }
  for (const [at, authType] of all.entries()) {
    assert.deepEqual((await manager.get(authType)).accessToken, `access-number-${at}`);
  }
}

async function servesMany({ manager, assert, options: { atOnce = 20 } }: Proof): Promise<void> {
  const all = Array.from({ length: atOnce }, (_, at): AuthType => ({ type: 'app', identifier: String(at) }));
  await Promise.all(all.map((authType) => manager.set(oauth(authType.identifier), authType)));
  const found = await Promise.all(all.map((authType) => manager.get(authType)));
  assert.deepEqual(
    found.map(({ accessToken }) => accessToken),
    all.map(({ identifier }) => `access-${identifier}`),
    'what is stored at the same time for different identities gets lost',
  );
}

async function lists({ manager, assert }: Proof): Promise<void> {
  if (manager.list === undefined) return;
  const names = async () =>
    (await manager.list?.())?.map(({ type, identifier }) => `${type} ${identifier}`).sort();
  assert.deepEqual(await names(), []);
  await manager.set(oauth('a'), APP);
  await manager.set(oauth('b'), { type: 'password', identifier: 'ada@example.com' });
  assert.deepEqual(await names(), ['app 123456', 'password ada@example.com']);
  await manager.set(EMPTY_OAUTH, APP);
  assert.deepEqual(await names(), ['password ada@example.com']);
}

// Each of the two has a line of its own in this process: nothing but the manager's lock keeps them apart.
async function locks({ own, assert, options: { reopen = () => own } }: Proof): Promise<void> {
  const one = guarded(own);
  if (one.lock === undefined) return;
  // As at a first login: nothing has been stored yet, no folder and no table made.
  await (await one.lock(APP))();
  const other = guarded(await reopen(own));
  await one.set({ ...oauth('counted'), expiresIn: 0 }, APP);
  await Promise.all(Array.from({ length: 8 }, (_, at) => countUp(at % 2 === 0 ? one : other)));
  assert.deepEqual((await one.get(APP)).expiresIn, 8, 'two held the lock of one session at the same time');
  const release = await one.lock(APP);
  await (await one.lock({ ...APP, identifier: '654321' }))();
  await release();
  await release();
  await (await other.lock?.(APP))?.();
  if (other !== one && reopen !== undefined) await other.close?.();
}

async function countUp(manager: SessionManager): Promise<void> {
  await new Session({ manager, authType: APP }).update(async (read) => {
    const stored = await read();
    return async () => ({ ...stored, expiresIn: stored.expiresIn + 1 });
  });
}

async function survives({ manager, assert }: Proof): Promise<void> {
  await manager.set(oauth('kept'), APP);
  const failing = new Session({ manager, authType: APP }).update(async () => async () => {
    throw new Error('no answer');
  });
  assert.ok(await isRejected(failing), 'the failure got lost');
  assert.deepEqual(present(await manager.get(APP)), present(oauth('kept')));
  await new Session({ manager, authType: APP }).update(async () => async () => oauth('next'));
  assert.deepEqual(present(await manager.get(APP)), present(oauth('next')));
}

async function shares({ own, manager, assert, options: { reopen = () => own } }: Proof): Promise<void> {
  await manager.set(oauth('shared'), APP);
  const other = guarded(await reopen(own));
  assert.deepEqual(present(await other.get(APP)), present(oauth('shared')));
  await other.set(oauth('next'), APP);
  assert.deepEqual(present(await manager.get(APP)), present(oauth('next')), 'what others store is not seen');
  await other.close?.();
}

async function fails({ own, manager, assert, options: { breakStore } }: Proof): Promise<void> {
  await manager.set(oauth('there'), APP);
  await breakStore?.(own);
  assert.ok(await isRejected(manager.get(APP)), 'get answers as if nothing were wrong');
  assert.ok(await isRejected(manager.set(oauth('next'), APP)), 'set resolves, and has stored nothing');
}

function guarded(manager: OwnSessionManager): SessionManager {
  return new CheckedManager({ manager });
}

function isRejected(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => false,
    () => true,
  );
}

function oauth(mark: string): PodioOAuth {
  return {
    accessToken: `access-${mark}`,
    refreshToken: `refresh-${mark}`,
    scope: 'global:all user:read',
    ref: { type: 'user', id: 42 },
    expiresIn: 28_800,
    obtainedAt: 1_795_000_000_123,
  };
}

// What is not there and what is undefined are the same here, and runners differ about it.
function present(stored: PodioOAuth): object {
  return Object.fromEntries(Object.entries(stored).filter(([, value]) => value !== undefined));
}

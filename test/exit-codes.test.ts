import assert from 'node:assert/strict';
import { chmodSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { EXIT_CODES } from '../src/cli/exit-codes.ts';
import type { Action, SandboxOptions } from '../src/sandbox/sandbox.ts';
import { outcome, World } from './support/cli.ts';
import { fails, filesHolding, loggedIn, nothingSet, succeeds } from './support/commands.ts';

const CALL = ['call', 'GET', '/item/123'];
const stored = nothingSet();

/** A way to an exit code: what makes it happen, and the command. */
interface Way {
  readonly code: number;
  readonly what: string;
  readonly prepare?: (world: World) => unknown;
  readonly argv?: readonly string[];
  readonly options?: SandboxOptions;
}

const answer =
  (status: number, body: object = {}) =>
  (world: World) =>
    world.sandbox.rule({ path: '/item/123' }, { kind: 'fail', status, body });

const behave = (action: Action) => (world: World) => world.sandbox.rule({ path: '/item/123' }, action);

function sessionFile({ home, sandbox }: World): string {
  const [file = ''] = filesHolding(home, sandbox.secrets);
  return join(home, file);
}

const WAYS: readonly Way[] = [
  { code: 0, what: 'a call that is answered' },
  { code: 0, what: 'the help', argv: ['help'] },
  { code: 0, what: 'the version', argv: ['--version'] },
  { code: 2, what: 'an unknown command', argv: ['frobnicate'] },
  { code: 2, what: 'an unknown option', argv: ['call', '/x', '--frobnicate'] },
  { code: 2, what: 'help on what is not there', argv: ['help', 'frobnicate'] },
  { code: 2, what: 'a word too few', argv: ['call'] },
  { code: 2, what: 'a path that is none', argv: ['call', 'item/123'] },
  { code: 2, what: 'a colour that is none', argv: ['status', '--color', 'blue'] },
  { code: 2, what: 'a session manager that is none', argv: [...CALL, '--session-manager', 'pocket'] },
  { code: 2, what: 'an API that is not https', argv: [...CALL, '--api-url', 'http://example.com'] },
  { code: 2, what: 'a login that does not say how', argv: ['login'] },
  { code: 3, what: 'nobody logged in', argv: [...CALL, '--as', 'nobody'] },
  { code: 3, what: 'a session that has died', prepare: ({ sandbox }) => sandbox.endGrants() },
  { code: 3, what: 'a 401 that stays', prepare: answer(401, { error_description: 'expired_token' }) },
  { code: 4, what: 'a 400', prepare: answer(400) },
  { code: 4, what: 'a 403', argv: ['call', 'GET', '/user/status'] },
  { code: 5, what: 'a 500', prepare: answer(500) },
  { code: 5, what: 'what is no HTTP', prepare: behave({ kind: 'garbage' }) },
  {
    code: 5,
    what: 'a redirect elsewhere',
    prepare: behave({ kind: 'fail', status: 302, headers: { location: '//x/' } }),
  },
  { code: 6, what: 'a 420', options: { callLimit: 0 } },
  { code: 6, what: 'a 429', prepare: answer(429) },
  { code: 7, what: 'a connection that is cut', prepare: behave({ kind: 'cut' }) },
  { code: 7, what: 'silence', prepare: behave({ kind: 'hang' }), argv: [...CALL, '--timeout', '0.1'] },
  { code: 7, what: 'nobody there', prepare: ({ sandbox }) => sandbox.close() },
  { code: 8, what: 'a damaged session', prepare: (world) => writeFileSync(sessionFile(world), '{') },
  { code: 8, what: 'a session that is a symbolic link', prepare: linkSession },
  { code: 8, what: 'a folder of sessions that is a file', prepare: putFileInTheWay },
  { code: 8, what: 'a folder that all may write', prepare: openToAll, argv: ['refresh'] },
  { code: 9, what: 'a 404', argv: ['call', 'GET', '/item/9'] },
  { code: 9, what: 'a 410', prepare: answer(410) },
  { code: 9, what: 'a path with a slash too many', argv: ['call', 'GET', '/item/123/'] },
];

function linkSession(world: World): void {
  const file = sessionFile(world);
  renameSync(file, `${file}.real`);
  symlinkSync(`${file}.real`, file);
}

function putFileInTheWay(world: World): void {
  const folder = dirname(sessionFile(world));
  rmSync(folder, { recursive: true });
  writeFileSync(folder, '');
}

function openToAll({ home }: World): void {
  chmodSync(join(home, '.local'), 0o777);
}

for (const { code, what, prepare, argv = CALL, options = {} } of WAYS) {
  test(`${code} is the exit code of ${what}`, async () => {
    await using world = await loggedIn(options);
    await prepare?.(world);
    const ended = await world.run(argv, stored);
    if (code === 0) succeeds(ended);
    else fails(ended, code, /\S/);
  });
}

test('1 is the exit code of a fault inside podio, with what to do about it', async () => {
  await using world = await loggedIn();
  const faulty = () => {
    throw new TypeError('planted');
  };
  const ended = await world.podio(CALL, { ...stored, io: { now: faulty } });
  fails(ended, 1, /a fault inside podio: TypeError: planted/, /PODIO_DEBUG=1/);
  const debugged = await world.podio(CALL, { io: { now: faulty }, env: { PODIO_DEBUG: '1' } });
  assert.match(debugged.stderr, /hint: TypeError: planted\\n +at .*faulty/);
});

test('1 is the exit code of output that cannot be written', async () => {
  await using world = await loggedIn();
  const stdout = new Writable({ write: (_chunk, _encoding, done) => done(new Error('planted')) });
  stdout.on('error', () => {});
  fails(await world.podio(CALL, { ...stored, io: { stdout } }), 1, /could not be written/, /room/);
});

const SIGNALS = [
  [129, 'SIGHUP'],
  [130, 'SIGINT'],
  [143, 'SIGTERM'],
] as const;

for (const [code, signal] of SIGNALS) {
  test(`${code} is the exit code of a call that ${signal} ends, quietly`, async () => {
    await using world = await loggedIn();
    world.sandbox.rule({ path: '/item/123' }, { kind: 'hang' });
    const child = world.start(CALL, stored);
    await world.sandbox.when({ path: '/item/123' });
    child.kill(signal);
    assert.deepEqual(await outcome(child), { exit: code, stdout: '', stderr: '' });
  });
}

test('130 comes only after a renewal that is on its way has been stored', async () => {
  await using world = await loggedIn({ endFamilyOnReplay: true });
  world.sandbox.expireAccessTokens();
  const hold = world.sandbox.hold({ grant: 'refresh_token' });
  const child = world.start(CALL, stored);
  await hold.arrived();
  child.kill('SIGINT');
  hold.release();
  assert.equal((await outcome(child)).exit, 130);
  succeeds(await world.run(CALL, stored));
  assert.equal(world.sandbox.tokenRequests(), 1);
});

const CHILDREN: readonly (readonly [code: number, command: string[]])[] = [
  [0, ['true']],
  [42, ['sh', '-c', 'exit 42']],
  [137, ['sh', '-c', 'kill -KILL $$']],
  [126, ['/']],
  [127, ['no-such-command']],
];

for (const [code, command] of CHILDREN) {
  test(`podio sandbox -- ${command.join(' ')} ends with ${code}`, async () => {
    await using world = await World.create();
    const ended = await world.run(['sandbox', '--', ...command]);
    if (code === 126 || code === 127) fails(ended, code, /cannot run/);
    else assert.deepEqual(ended, { exit: code, stdout: '', stderr: '' });
  });
}

test('a signal to podio sandbox reaches its command, whose end is its own', async () => {
  await using world = await World.create();
  const script = 'trap "exit 7" TERM; echo ready; while :; do read -r _ || :; done';
  const child = world.start(['sandbox', '--', 'bash', '-c', script]);
  child.stdout?.once('data', () => child.kill('SIGTERM'));
  assert.equal((await outcome(child)).exit, 7);
});

test('every exit code of the help is reached here, and no other', async () => {
  const reached = [...WAYS.map(({ code }) => code), 1, ...SIGNALS.map(([code]) => code)];
  assert.deepEqual([...new Set(reached)].sort(), EXIT_CODES.map(({ exit }) => exit).sort());
  await using world = await World.create();
  const help = succeeds(await world.podio(['help', 'exit-codes']));
  for (const code of reached) assert.match(help, new RegExp(`^ +${code} {2,}\\S`, 'm'));
});

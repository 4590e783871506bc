import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BIN, outcome, type World } from './support/cli.ts';
import { fails, loggedIn, nothingSet, succeeds } from './support/commands.ts';
import { sessionFile } from './support/data-folder.ts';

const stored = nothingSet();

function tokenIn(world: World): string {
  return JSON.parse(readFileSync(sessionFile(world), 'utf8')).access_token;
}

/** Runs a script by `podio exec`, whose own output may hold the token: that is what it is for. */
function exec(world: World, script: string, ...options: string[]) {
  const argv = [BIN, 'exec', ...options, '--', 'sh', '-c', script];
  return outcome(spawn(process.execPath, argv, { env: world.env(stored.env), cwd: world.home }));
}

test('a command finds the token, the API and the identity in its environment, and nothing is printed beside', async () => {
  await using world = await loggedIn();
  const script = 'echo "$PODIO_ACCESS_TOKEN $PODIO_API_URL $PODIO_IDENTITY"';
  assert.deepEqual(await exec(world, script), {
    exit: 0,
    stdout: `${tokenIn(world)} ${world.sandbox.url} app:123456\n`,
    stderr: '',
  });
});

test('of what a login is made of, nothing reaches the command', async () => {
  await using world = await loggedIn();
  const argv = [BIN, 'exec', '--', 'env'];
  const { stdout } = await outcome(spawn(process.execPath, argv, { env: { ...world.env(), MINE: 'kept' } }));
  const names = stdout.split('\n').map((line) => line.split('=')[0]);
  const ours = names.filter((name) => name?.startsWith('PODIO_')).sort();
  assert.deepEqual(ours, ['PODIO_ACCESS_TOKEN', 'PODIO_API_URL', 'PODIO_IDENTITY', 'PODIO_SESSION_MANAGER']);
  assert.ok(names.includes('MINE') && names.includes('PATH'));
});

test('the command calls with the token that it finds', async () => {
  await using world = await loggedIn();
  const script = 'curl -sf -H "Authorization: OAuth2 $PODIO_ACCESS_TOKEN" "$PODIO_API_URL/item/123"';
  assert.equal(JSON.parse(succeeds(await exec(world, script))).item_id, 123);
});

test('a token that would end within five minutes is renewed first, and one that lasts is left', async () => {
  await using world = await loggedIn({ expiresIn: 400 });
  succeeds(await exec(world, ':'));
  assert.equal(world.sandbox.tokenRequests(), 0);
  succeeds(await exec(world, ':', '--min-ttl', '100'));
  assert.equal(world.sandbox.tokenRequests(), 0);
  await using shorter = await loggedIn({ expiresIn: 3600 });
  const before = tokenIn(shorter);
  const late = { ...stored, io: { now: () => Date.now() + 3_400_000 } };
  const script = `test "$PODIO_ACCESS_TOKEN" != ${before}`;
  succeeds(await shorter.podio(['exec', '--', 'sh', '-c', script], late));
  assert.equal(shorter.sandbox.tokenRequests('refresh_token'), 1);
});

test('how long the token is to last can be said', async () => {
  await using world = await loggedIn({ expiresIn: 3600 });
  const late = { ...stored, io: { now: () => Date.now() + 1_800_000 } };
  succeeds(await world.podio(['exec', '--min-ttl', '60', '--', 'true'], late));
  assert.equal(world.sandbox.tokenRequests(), 0);
  succeeds(await world.podio(['exec', '--min-ttl', '2400', '--', 'true'], late));
  assert.equal(world.sandbox.tokenRequests('refresh_token'), 1);
  fails(
    await world.podio(['exec', '--min-ttl', 'soon', '--', 'true'], stored),
    2,
    /--min-ttl takes a number/,
  );
});

test('streams are the command’s own', async () => {
  await using world = await loggedIn();
  const child = world.start(['exec', '--', 'sh', '-c', 'cat; echo oops >&2'], { ...stored, stdin: 'a\nb\n' });
  assert.deepEqual(await outcome(child), { exit: 0, stdout: 'a\nb\n', stderr: 'oops\n' });
});

const ENDS: readonly (readonly [code: number, command: string[]])[] = [
  [0, ['true']],
  [42, ['sh', '-c', 'exit 42']],
  [137, ['sh', '-c', 'kill -KILL $$']],
  [143, ['sh', '-c', 'kill -TERM $$']],
];

for (const [code, command] of ENDS)
  test(`podio exec -- ${command.join(' ')} ends with ${code}`, async () => {
    await using world = await loggedIn();
    assert.deepEqual(await world.run(['exec', '--', ...command], stored), {
      exit: code,
      stdout: '',
      stderr: '',
    });
  });

test('what cannot be run ends with 126, what is not there with 127, and the reason is told', async () => {
  await using world = await loggedIn();
  const plain = join(world.home, 'plain');
  writeFileSync(plain, 'no program');
  chmodSync(plain, 0o600);
  fails(await world.run(['exec', '--', plain], stored), 126, /cannot run .*plain \(EACCES\)/);
  fails(await world.run(['exec', '--', 'no-such-command'], stored), 127, /cannot run no-such-command/);
});

/** Counts how often the signal comes, and ends with 7 at the third. */
const COUNTING = `let count = 0;
process.on(process.argv[1], () => process.stdout.write(++count + '\\n', () => count === 3 && process.exit(7)));
setInterval(() => {}, 1000);
process.stdout.write('ready\\n')`;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'] as const)
  test(`${signal} is passed on, as often as it comes, and the command decides how it ends`, async () => {
    await using world = await loggedIn();
    const child = world.start(['exec', '--', process.execPath, '-e', COUNTING, signal], stored);
    child.stdout?.on('data', () => child.kill(signal));
    assert.deepEqual(await outcome(child), { exit: 7, stdout: 'ready\n1\n2\n3\n', stderr: '' });
  });

test('nobody logged in: the command is not run', async () => {
  await using world = await loggedIn();
  succeeds(await world.podio(['logout'], stored));
  fails(await world.run(['exec', '--', 'touch', 'ran'], stored), 3, /not logged in/);
  fails(await world.run(['exec', '--'], stored), 2, /none was given/);
  assert.throws(() => readFileSync(join(world.home, 'ran')), /ENOENT/);
});

test('where the environment names a whole login, it logs in by itself and keeps the session', async () => {
  await using world = await loggedIn();
  succeeds(await world.podio(['logout', '--all'], stored));
  world.sandbox.clearSeen();
  succeeds(await world.run(['exec', '--', 'sh', '-c', 'test -n "$PODIO_ACCESS_TOKEN"']));
  succeeds(await world.run(['exec', '--', 'sh', '-c', 'test "$PODIO_IDENTITY" = app:123456']));
  assert.equal(world.sandbox.tokenRequests(), 1);
});

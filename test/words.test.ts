import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { COMMANDS } from '../src/cli/commands/index.ts';
import { withSpinner } from '../src/cli/spinner.ts';
import { nearest } from '../src/values/suggest.ts';
import { type Outcome, World } from './support/cli.ts';
import { loggedIn, nothingSet } from './support/commands.ts';

const stored = nothingSet();

test('the word that was meant is found, and none where nothing is near', () => {
  const known = ['login', 'logout', 'status', 'switch', 'token', 'call'];
  const meant: readonly (readonly [string, string | undefined])[] = [
    ['stauts', 'status'],
    ['staus', 'status'],
    ['sttatuss', 'status'],
    ['STATUS', 'status'],
    ['swi', 'switch'],
    ['cal', 'call'],
    ['clal', 'call'],
    ['ca', undefined],
    ['xxxx', undefined],
    ['', undefined],
    ['loginoutto', undefined],
  ];
  for (const [typed, found] of meant) assert.equal(nearest(typed, known), found, typed);
  assert.equal(nearest('x', []), undefined);
});

/** The one line of JSON that standard error holds. */
function errorOf({ stderr }: Outcome): Record<string, unknown> {
  assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
  return JSON.parse(stderr);
}

for (const { name } of COMMANDS) {
  test(`${name} keeps help on standard output and complaints on standard error, as JSON where asked for`, async () => {
    await using world = await World.create();
    const help = await world.podio([name, '--help'], stored);
    assert.deepEqual([help.exit, help.stderr], [0, '']);
    assert.match(help.stdout, new RegExp(`podio ${name}`));
    const wrong = await world.podio([name, '--no-such-option', '--json'], stored);
    assert.deepEqual([wrong.exit, wrong.stdout], [2, '']);
    const { code, exit, message, hint } = errorOf(wrong);
    assert.deepEqual([code, exit], ['usage', 2]);
    assert.match(`${message} ${hint}`, /no-such-option.* podio help/);
  });
}

const DATA: readonly (readonly string[])[] = [
  ['status'],
  ['status', '--offline'],
  ['sessions', 'list'],
  ['sessions', 'export'],
  ['doctor', '--offline'],
  ['refresh'],
];
const TALK: readonly (readonly string[])[] = [
  ['login', '--app'],
  ['switch', 'app:123456'],
  ['logout', 'app:123456'],
  ['logout'],
];

for (const argv of [...DATA, ...TALK]) {
  test(`podio ${argv.join(' ')} --json answers on standard output and says nothing else`, async () => {
    await using world = await loggedIn();
    const { exit, stdout, stderr } = await world.podio([...argv, '--json']);
    assert.deepEqual([exit, stderr], [0, '']);
    assert.equal(typeof JSON.parse(stdout), 'object');
  });
}

for (const argv of DATA) {
  test(`podio ${argv.join(' ')} puts what it found on standard output, and talks of nothing`, async () => {
    await using world = await loggedIn();
    const { exit, stdout, stderr } = await world.podio(argv);
    assert.deepEqual([exit, stderr], [0, '']);
    assert.notEqual(stdout, '');
  });
}

for (const argv of TALK) {
  test(`podio ${argv.join(' ')} says on standard error what it did, and leaves standard output empty`, async () => {
    await using world = await loggedIn();
    const { exit, stdout, stderr } = await world.podio(argv);
    assert.deepEqual([exit, stdout], [0, '']);
    assert.match(stderr, /^\S.*\.\n/);
  });
}

test('sessions tells as JSON what it moved to a file and took from it', async () => {
  await using world = await loggedIn();
  const run = async (...argv: string[]) =>
    JSON.parse((await world.podio(['sessions', ...argv, '--json'], stored)).stdout);
  const file = `${world.home}/sessions.json`;
  assert.deepEqual(await run('export', '--reveal', '-o', file), { file, sessions: 1 });
  const [{ identity, imported, session_manager }] = await run('import', file);
  assert.deepEqual([identity, imported, session_manager], ['app:123456', true, 'file']);
});

test('what Podio said of an error is told to programs beside the message', async () => {
  await using world = await loggedIn();
  const body = JSON.stringify({ error: 'not_found', error_description: 'Object not found' });
  world.sandbox.rule({}, { kind: 'fail', status: 404, body });
  const ended = await world.podio(['limits', '--fresh', '--json'], stored);
  const { code, exit, status, error, message, hint } = errorOf(ended);
  assert.deepEqual([code, exit, status, error], ['not_found', 9, 404, 'not_found']);
  assert.match(`${message} ${hint}`, /HTTP 404.*podio status/);
});

test('a warning is JSON too where errors are', async () => {
  await using world = await loggedIn();
  const env = { ...stored.env, PODIO_ACCESS_TOKEN: 'x' };
  const { stderr } = await world.podio(['status', '--offline', '--json'], { env });
  const { code, message } = JSON.parse(stderr);
  assert.equal(code, 'warning');
  assert.match(message, /PODIO_ACCESS_TOKEN/);
});

const FAILING: readonly (readonly string[])[] = [
  ['stauts'],
  ['tokn'],
  ['status', '--ofline'],
  ['sessions', 'lst'],
  ['sessions'],
  ['sessions', 'move', 'app:123456', '--to', 'memory'],
  ['sessions', 'move', 'app:123456', '--to', 'file'],
  ['switch', 'app:12345'],
  ['--as', 'app:12345', 'call', '/item/123'],
  ['call'],
  ['call', '/item/999'],
  ['logout', '--all', 'app:123456'],
  ['login', '--app', '1', '--password-stdin'],
  ['login', '--app', 'https://podio.com/org/space/apps/leads'],
  ['login', '--app', '--token', 'x'],
  ['token', '--json'],
];

for (const argv of FAILING) {
  test(`the command in the hint at "podio ${argv.join(' ')}" can be pasted`, async () => {
    await using world = await loggedIn();
    const { exit, stderr } = await world.podio(argv, stored);
    assert.notEqual(exit, 0);
    const command = /\bpodio ([a-z][^,;?"]*)/.exec(stderr.slice(stderr.lastIndexOf('hint')))?.[1];
    if (command === undefined) return assert.match(stderr, /hint: did you mean "app:123456"/);
    const words = command.trimEnd().replace('APP_ID', '123456').split(' ');
    const pasted = await world.podio(words, stored);
    assert.doesNotMatch(pasted.stderr, /unknown|is one of|no help on|too many|not logged in as/, command);
  });
}

const LOST: readonly (readonly string[])[] = [
  ...FAILING,
  ['exec'],
  ['batch'],
  ['batch', 'no-such-file'],
  ['exec', '--', 'no-such-command-at-all'],
  ['call', '/item/1', '-F', 'a[=1'],
  ['call', '/item/1', '-d', '{'],
  ['call', '/item/1', '-H', 'x'],
  ['call', '/item/1', '--timeout', 'soon'],
  ['call', '/item/1', '-o', '/'],
  ['call', '/item/1', '--color', 'blue'],
  ['call', '/item/1', '--api-url', 'http://example.com'],
  ['call', '/item/1', '--session-manager', 'filed'],
  ['call', 'item/1'],
  ['call', 'https://example.com/'],
  ['config', 'set', 'colr', 'never'],
  ['config', 'set', 'color', 'blue'],
  ['config', 'set', 'app_token', 'x'],
  ['completion', 'tcsh'],
  ['help', 'frobnicate'],
  ['login'],
  ['login', '--app', 'x'],
  ['login', '--app', '1', '--name', '/'],
  ['login', '--web', '--port', 'x'],
  ['login', '--web', '--redirect-host', '/'],
  ['login', '--app', '1', '--token-file', '/no/such/file'],
  ['sessions', 'import', '/no/such/file'],
  ['sandbox', '--port', 'x'],
];

test('whatever went wrong, the last line holds a command to paste', async () => {
  await using world = await loggedIn();
  for (const argv of LOST.filter((words) => !words.includes('--json'))) {
    const { exit, stderr } = await world.podio(argv, stored);
    assert.notEqual(exit, 0, argv.join(' '));
    const hint = stderr.trimEnd().split('\n').at(-1) ?? '';
    assert.match(hint, /^hint: .*(podio [a-z-]+|https:\/\/\S+|\b(ls -|command -v) ?\S+)/, argv.join(' '));
    assert.doesNotMatch(hint, /undefined|COMMAND|; see podio help [a-z]+.*see podio help/, argv.join(' '));
  }
});

test('identities that were nearly named are suggested, to be pasted', async () => {
  await using world = await loggedIn();
  const hintOf = async (...argv: string[]) => (await world.podio(argv, stored)).stderr;
  assert.match(await hintOf('switch', 'app:12345'), /hint: did you mean podio switch app:123456\n/);
  assert.match(await hintOf('call', '/x', '--as', 'ap:123456'), /hint: did you mean "app:123456"\?/);
  assert.match(await hintOf('logout', 'app:12346'), /not logged in\. Did you mean podio logout app:123456\?/);
});

const ESCAPE = '\u001b';

test('colour is decided for each stream by itself', async () => {
  await using world = await loggedIn();
  const colored = async (env: Record<string, string>, outIsTTY: boolean, errIsTTY: boolean) => {
    const [stdout, stderr] = [outIsTTY, errIsTTY].map((isTTY) => Object.assign(new PassThrough(), { isTTY }));
    const io = { ...(stdout && { stdout }), ...(stderr && { stderr }) };
    await world.podio(['status', '--offline'], { env: { ...stored.env, ...env }, io });
    await world.podio(['switch', 'nobody'], { env: { ...stored.env, ...env }, io });
    return [stdout, stderr].map((stream) => String(stream?.read() ?? '').includes(ESCAPE));
  };
  assert.deepEqual(await colored({}, true, true), [true, true]);
  assert.deepEqual(await colored({}, true, false), [true, false]);
  assert.deepEqual(await colored({}, false, true), [false, true]);
  assert.deepEqual(await colored({ NO_COLOR: '1' }, true, true), [false, false]);
  assert.deepEqual(await colored({ TERM: 'dumb' }, true, true), [false, false]);
  assert.deepEqual(await colored({ FORCE_COLOR: '1' }, false, false), [true, true]);
});

test('marks are signs, and words where signs cannot be shown', async () => {
  await using world = await loggedIn();
  const state = async (env: Record<string, string>) =>
    /state {5}(\S+)/.exec(
      (await world.podio(['status', '--offline'], { env: { ...stored.env, ...env } })).stdout,
    )?.[1];
  assert.equal(await state({}), '✓');
  assert.equal(await state({ LANG: 'en_GB.UTF-8' }), '✓');
  assert.equal(await state({ LANG: 'C' }), 'ok');
  assert.equal(await state({ LC_ALL: 'POSIX', LANG: 'en_GB.UTF-8' }), 'ok');
  assert.equal(await state({ TERM: 'dumb' }), 'ok');
});

/** What the spinner writes during work that takes so long, to streams that are terminals or not. */
async function spun(ms: number, env: Record<string, string>, outIsTTY = true, errIsTTY = true) {
  const stdout = Object.assign(new PassThrough(), { isTTY: outIsTTY });
  const stderr = Object.assign(new PassThrough(), { isTTY: errIsTTY, columns: 20 });
  const { signal } = new AbortController();
  const io = { stdin: new PassThrough(), stdout, stderr, env, now: Date.now, signal };
  await withSpinner(io, 'Asking somebody who takes his time', () => pause(ms));
  return String(stderr.read() ?? '');
}

test('what takes longer than half a second is told where both streams are terminals, and taken away', async () => {
  const [long, short, ...quiet] = await Promise.all([
    spun(900, {}),
    spun(100, {}),
    spun(900, {}, false, true),
    spun(900, {}, true, false),
    spun(900, { TERM: 'dumb' }),
    spun(900, { CI: 'true' }),
  ]);
  assert.match(long ?? '', /Asking some/);
  assert.ok(long?.endsWith(`\r${ESCAPE}[K`), 'it is taken away in the end');
  for (const line of long?.split('\r') ?? []) assert.ok(line.replace(`${ESCAPE}[K`, '').length < 20, line);
  assert.ok(!long?.includes('?25l'), 'the cursor is left as it is');
  assert.deepEqual([short, ...quiet], ['', '', '', '', '']);
});

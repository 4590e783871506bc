import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { COMMANDS } from '../src/cli/commands/index.ts';
import { commandPage, declared, groupsOf } from '../src/cli/commands/manual.ts';
import { readBlocks } from '../src/cli/page.ts';
import { TOPICS } from '../src/cli/topics.ts';
import { nearest } from '../src/values/suggest.ts';
import { BIN, World } from './support/cli.ts';
import { fails, succeeds } from './support/commands.ts';
import { checkStrace, traced } from './support/strace.ts';
import { Terminal } from './support/terminal.ts';

const NAMES = COMMANDS.map(({ name }) => name);
const SUBJECTS = [...NAMES, ...Object.keys(TOPICS)];

test('podio, podio --help, podio -h and podio help say the same, on standard output', async () => {
  await using world = await World.create();
  const ways = [[], ['--help'], ['-h'], ['help'], ['help', 'podio'], ['--as', 'x', '--help']];
  const pages = await Promise.all(ways.map((argv) => world.podio(argv)));
  for (const page of pages) assert.deepEqual(page, pages[0]);
  assert.equal(pages[0]?.stderr, '');
  for (const subject of SUBJECTS)
    assert.match(succeeds(await world.podio([])), new RegExp(`^  ${subject} `, 'm'));
});

for (const name of NAMES) {
  test(`podio help ${name}, podio ${name} --help and -h say the same, and nobody is asked for it`, async () => {
    await using world = await World.create();
    const ways = [
      ['help', name],
      [name, '--help'],
      [name, '-h'],
      ['--as', 'x', name, '--help'],
    ];
    const pages = await Promise.all(ways.map((argv) => world.podio(argv)));
    for (const page of pages) assert.deepEqual(page, pages[0]);
    const help = succeeds(await world.podio(['help', name]));
    assert.match(help, new RegExp(`^Usage: podio ${name}`, 'm'));
    assert.equal(
      help.match(/^As every command: /gm)?.length,
      1,
      'the options of every command are named, and once',
    );
    assert.deepEqual(world.sandbox.seen, []);
    assert.deepEqual(readdirSync(world.home), []);
  });
}

test('help on an action is help on its command', async () => {
  await using world = await World.create();
  const page = succeeds(await world.podio(['help', 'sessions']));
  assert.equal(succeeds(await world.podio(['help', 'sessions', 'move'])), page);
  assert.equal(succeeds(await world.podio(['sessions', 'move', '--help'])), page);
});

test('every option and argument that the parser knows stands on the page of its command', async () => {
  await using world = await World.create();
  for (const entry of COMMANDS) {
    const help = succeeds(await world.podio(['help', entry.name]));
    const { options, registeredArguments } = await declared(entry);
    for (const { flags, hidden } of options)
      assert.ok(hidden || help.includes(flags), `${entry.name} ${flags}`);
    for (const argument of registeredArguments)
      assert.match(help, new RegExp(`^ +${argument.name().replace('|', '.')} `, 'm'), entry.name);
  }
});

test('examples stand before arguments and options', async () => {
  await using world = await World.create();
  const help = succeeds(await world.podio(['help', 'call']));
  const order = ['Usage:', 'Examples:', 'Arguments:', 'Options:'].map((title) => help.indexOf(title));
  assert.ok(!order.includes(-1), help);
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  );
});

test('every command has examples of itself', async () => {
  for (const entry of COMMANDS) {
    const { sections } = await commandPage(entry);
    const examples = sections.find(({ title }) => title === 'Examples')?.blocks ?? [];
    const lines = examples.flatMap((block) => (block.kind === 'code' ? block.lines : []));
    assert.ok(lines.length > 0, entry.name);
    for (const line of lines) assert.match(line, new RegExp(`\\bpodio ${entry.name}\\b`));
  }
});

const NEEDED: Readonly<Record<string, readonly string[]>> = { call: ['/x'], completion: ['bash'] };

test('--json stands on the page of each command that takes it, and the others refuse it', async () => {
  await using world = await World.create();
  for (const { name } of COMMANDS) {
    const names = /^As every command: ([\s\S]*?) \(podio help\)/m.exec(
      succeeds(await world.podio(['help', name])),
    )?.[1];
    if (names?.includes('--json')) continue;
    const { exit, stderr } = await world.podio([name, ...(NEEDED[name] ?? []), '--json']);
    assert.equal(exit, 2, name);
    assert.match(JSON.parse(stderr).message, /takes no --json$/);
  }
  assert.deepEqual(
    COMMANDS.flatMap(({ name, takesJson }) => (takesJson === false ? name : [])),
    ['call', 'batch', 'token', 'exec', 'completion'],
  );
});

test('every command stands in one group, and one that no group names stands in the last', () => {
  const grouped = groupsOf(COMMANDS).flatMap(([, entries]) => entries.map(({ name }) => name));
  assert.deepEqual(grouped.toSorted(), NAMES.toSorted());
  const stranger = { name: 'stranger', summary: '', load: () => Promise.reject(new Error('not asked for')) };
  assert.deepEqual(groupsOf([stranger]).at(-1), ['More', [stranger]]);
});

test('podio help --all has every page on one page, every command and topic once', async () => {
  await using world = await World.create();
  const all = succeeds(await world.podio(['help', '--all']));
  for (const subject of SUBJECTS) {
    const page = succeeds(await world.podio(['help', subject]));
    assert.equal(all.split(page).length, 2, subject);
  }
  const pages = JSON.parse(succeeds(await world.podio(['help', '--all', '--json'])));
  assert.deepEqual(pages.map(({ name }: { name: string }) => name).toSorted(), ['', ...SUBJECTS].toSorted());
});

test('help on what is not there is wrong usage, and names what is near', async () => {
  await using world = await World.create();
  fails(await world.podio(['help', 'lgoin']), 2, /no help on "lgoin"/, /did you mean: podio help login$/);
  fails(await world.podio(['help', 'exitcodes']), 2, /no help/, /did you mean: podio help exit-codes$/);
  fails(await world.podio(['help', 'frobnicate']), 2, /no help/, /^hint: see podio help$/);
  fails(await world.podio(['frobnicate', '--help']), 2, /no help on "frobnicate"/);
});

test('what was probably meant is near in letters', () => {
  assert.equal(nearest('stauts', ['status', 'switch']), 'status');
  assert.equal(nearest('LOGIN', ['logout', 'login']), 'login');
  assert.equal(nearest('cal', ['call']), 'call');
  assert.equal(nearest('xyz', ['call', 'as']), undefined);
  assert.equal(nearest('', ['as']), undefined);
});

test('help works where settings and store are damaged, and where there is no HOME', async () => {
  await using world = await World.create();
  mkdirSync(join(world.home, '.config/podio'), { recursive: true });
  writeFileSync(join(world.home, '.config/podio/config.json'), '{"api_url":"http://example.com"}');
  for (const env of [{}, { HOME: undefined }, { PODIO_DATA_DIR: '/proc/nowhere' }, { PODIO_API_URL: 'x' }]) {
    assert.match(succeeds(await world.podio(['help', 'login'], { env })), /Usage: podio login/);
  }
});

test('help opens neither settings nor store, and of the commands only the one asked for', async () => {
  await using world = await World.create();
  checkStrace();
  const { operations } = await traced(world, ['help', 'switch'], {});
  const named = operations.map(({ line }) => line);
  assert.ok(
    named.some((line) => line.includes('switch.cjs')),
    'the trace sees what is loaded',
  );
  const others = COMMANDS.filter(({ name }) => !['switch', 'help'].includes(name)).map(
    ({ name }) => `/${name}.cjs`,
  );
  const unwanted = [...others, '.config/podio', '.local/share/podio'];
  assert.deepEqual(
    named.filter((line) => unwanted.some((part) => line.includes(part))),
    [],
  );
});

test('every variable that podio reads stands in podio help environment', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.startsWith('sandbox'),
  );
  const source = files.map((file) => readFileSync(join('src', file), 'utf8')).join('\n');
  const read = new Set(source.match(/(?<=\benv\.)[A-Z_]{2,}|(?<=')PODIO_[A-Z_]+(?=')/g));
  // What a desktop sets by itself, and what doctor warns of.
  for (const own of [
    'DBUS_SESSION_BUS_ADDRESS',
    'WSL_DISTRO_NAME',
    'XDG_RUNTIME_DIR',
    'NODE_TLS_REJECT_UNAUTHORIZED',
  ])
    read.delete(own);
  const told = new Set(TOPICS.environment?.text.match(/[A-Z][A-Z_]+/g));
  assert.deepEqual(
    [...read].filter((name) => !told.has(name)),
    [],
  );
});

test('topics fit 80 columns whole, examples too', async () => {
  await using world = await World.create();
  for (const topic of Object.keys(TOPICS)) {
    const wide = succeeds(await world.podio(['help', topic]))
      .split('\n')
      .filter((line) => line.length > 80);
    assert.deepEqual(wide, [], topic);
  }
});

test('prose is told from examples and from terms by how it stands', () => {
  assert.deepEqual(readBlocks('One\ntwo:\n  podio x   # why\n\n  term  its meaning\n  other  more\n'), [
    { kind: 'text', text: 'One two:' },
    { kind: 'code', lines: ['podio x   # why'] },
    {
      kind: 'rows',
      rows: [
        { term: 'term', text: 'its meaning' },
        { term: 'other', text: 'more' },
      ],
    },
  ]);
});

/** A terminal's standard output of that width, and what was written to it. */
function screen(columns: number): { stdout: PassThrough; text: () => string } {
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns });
  const shown: string[] = [];
  stdout.on('data', (chunk) => shown.push(String(chunk)));
  return { stdout, text: () => shown.join('') };
}

const [BOLD, PLAIN] = ['\u001b[1m', '\u001b[0m'];
const EXAMPLE = /^ {2}\S/;

for (const columns of [40, 80, 200]) {
  test(`help fits a terminal of ${columns} columns, but for examples, which are to be copied`, async () => {
    await using world = await World.create();
    const { stdout, text } = screen(columns);
    await world.podio(['help', '--all'], { io: { stdout }, env: { NO_COLOR: '1' } });
    const lines = text().split('\n');
    const tooLong = lines.filter((line) => line.length > columns);
    assert.deepEqual(
      tooLong.filter((line) => !EXAMPLE.test(line) && !line.startsWith('Usage:')),
      [],
    );
    assert.ok(
      lines.some((line) => line.length > Math.min(columns, 120) * 0.9),
      'the width is used',
    );
  });
}

test('help in a pipe is 80 columns wide and without colour, on a terminal its headings are bold', async () => {
  await using world = await World.create();
  const piped = succeeds(await world.podio(['help', 'login']));
  assert.ok(!piped.includes('\u001b'));
  const { stdout, text } = screen(80);
  await world.podio(['help', 'login'], { io: { stdout }, env: { TERM: 'xterm' } });
  const shown = text();
  assert.ok(shown.includes(`${BOLD}Options:${PLAIN}`));
  assert.equal(shown.replaceAll(BOLD, '').replaceAll(PLAIN, ''), piped);
  assert.ok(succeeds(await world.podio(['help', 'login', '--color', 'always'])).includes(BOLD));
});

test('a real terminal of 40 columns breaks no word of the overview', async () => {
  await using world = await World.create();
  assert.ok(existsSync(BIN));
  const { PATH = '', HOME = '' } = world.env();
  using terminal = new Terminal({ env: { PATH, HOME, LANG: 'C.UTF-8' }, cwd: world.home, columns: 40 });
  terminal.type(`clear; ${process.execPath} ${BIN} help`);
  const shown = await terminal.shows(/prints the version\./);
  assert.match(
    shown,
    /^Log in to the Podio API once, then call\nit from any shell, any cron job, any\nnumber at once\.$/m,
  );
});

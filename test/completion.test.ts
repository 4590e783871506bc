import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { completionTable } from '../src/cli/commands/completion-table.ts';
import { COMMANDS } from '../src/cli/commands/index.ts';
import { declared } from '../src/cli/commands/manual.ts';
import { type Candidate, Completer } from '../src/cli/completion.ts';
import { completionScript, SHELLS } from '../src/cli/completion-scripts.ts';
import { SETTINGS } from '../src/cli/setting.ts';
import { TOPICS } from '../src/cli/topics.ts';
import { BIN, World } from './support/cli.ts';
import { fails, succeeds, treeOf } from './support/commands.ts';
import { checkStrace, traced } from './support/strace.ts';
import { Terminal } from './support/terminal.ts';

const TABLE = await completionTable(COMMANDS);
const IDENTITIES: readonly Candidate[] = [
  { word: 'ada', text: 'password:ada@example.com' },
  { word: 'app:123456', text: 'https://api.podio.com' },
];

/** The words that are offered for a line; `:files` among them where the shell's own are. */
function words(line: string, table = TABLE): string[] {
  const before = line.split(' ');
  const typed = before.pop() ?? '';
  const { candidates, files } = new Completer({ table, identities: () => IDENTITIES }).complete(
    before,
    typed,
  );
  return [...candidates.map(({ word }) => word), ...(files ? [':files'] : [])];
}

test('every command, option, topic and setting that there is can be completed', async () => {
  assert.deepEqual(
    words(''),
    COMMANDS.map(({ name }) => name),
  );
  for (const entry of COMMANDS) {
    const { options } = await declared(entry);
    for (const { long, short, hidden } of options)
      if (!hidden) assert.ok(words(`${entry.name} -`).includes(long ?? short ?? ''), `${entry.name} ${long}`);
  }
  for (const subject of [...Object.keys(TOPICS), 'login']) assert.ok(words('help ').includes(subject));
  for (const { key } of SETTINGS) assert.ok(words('config get ').includes(key));
});

test('the table that was built is that of the commands there are', () => {
  assert.deepEqual(
    JSON.parse(readFileSync('dist/complete/table.json', 'utf8')),
    JSON.parse(JSON.stringify(TABLE)),
  );
});

const LINES: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ['log', ['login', 'logout']],
  ['--as ', ['ada', 'app:123456']],
  ['--as a log', ['login', 'logout']],
  ['--as=app', ['--as=app:123456']],
  ['logout a', ['ada', 'app:123456']],
  ['--color ', ['auto', 'always', 'never']],
  ['call --color=n', ['--color=never']],
  ['--session-manager f', ['file']],
  ['--session-manager r', ['redis://']],
  ['config set session_manager red', ['redis://']],
  ['sessions m', ['move']],
  ['sessions move a', ['ada', 'app:123456', ':files']],
  ['config set color n', ['never']],
  ['config set as a', ['ada', 'app:123456']],
  ['config set no_input t', ['true']],
  ['config set as ada ', []],
  ['call -o ', [':files']],
  ['call --sil', ['--silent']],
  ['call --silent --sil', []],
  ['call --js', []],
  ['limits --js', ['--json']],
  ['limits --fr', ['--fresh']],
  ['batch ', [':files']],
  ['batch --resu', ['--resume']],
  ['exec --min', ['--min-ttl']],
  ['call -f a=b -f a=c --raw-', ['--raw-field']],
  ['call /item/a', ['/item/app/']],
  ['call GET /item/1/val', ['/item/1/value', '/item/1/value/']],
  ['call GET /item/1/frob', []],
  ['call GET /item/1 ', []],
  ['call P', ['POST', 'PUT']],
  ['login --app --rem', ['--remember']],
  ['completion f', ['fish']],
  ['completion install z', ['zsh']],
  ['sandbox -- ', [':files']],
  ['frobnicate ', []],
  ['help exi', ['exit-codes']],
];

for (const [line, offered] of LINES) {
  test(`podio ${line}⇥ offers ${offered.join(', ') || 'nothing'}`, () => {
    assert.deepEqual(words(line), offered);
  });
}

test('files are offered behind "@", fields and options with "="', () => {
  assert.deepEqual(words('call -d @test/supp'), ['@test/support/']);
  assert.deepEqual(words('call -F a=@READ'), ['a=@README.md']);
  assert.deepEqual(words('call -F a=READ'), []);
  assert.deepEqual(words('call --output=READ'), ['--output=README.md']);
});

/** A world with two identities, a file, and `podio` on the PATH. */
async function typist(): Promise<World> {
  const world = await World.create();
  succeeds(await world.podio(['login', '--app', '--name', 'work']));
  succeeds(await world.podio(['login', '--password']));
  writeFileSync(join(world.home, 'answer.json'), '{}');
  writeFileSync(join(world.home, 'podio'), `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`);
  chmodSync(join(world.home, 'podio'), 0o700);
  world.sandbox.clearSeen();
  return world;
}

const TYPED: readonly (readonly [typed: string, becomes: RegExp])[] = [
  ['podio logo', /podio logout $/m],
  ['podio switch wo', /podio switch work $/m],
  ['podio logout app:12', /podio logout app:123456 $/m],
  ['podio --as=app:12', /podio --as=app:123456 $/m],
  ['podio call --out', /podio call --output $/m],
  ['podio config set colo', /podio config set color $/m],
  ['podio call GET /item/app/1/fil', /podio call GET \/item\/app\/1\/filter\/(\{view_id\})?$/m],
  ['podio call -o answ', /podio call -o answer\.json $/m],
  ['podio call -d @answ', /podio call -d @answer\.json $/m],
  ['podio call -F a=@answ', /podio call -F a=@answer\.json $/m],
  ['podio logout password:ada@', /podio logout password:ada@example\.com $/m],
];

const STARTS = {
  bash: "PS1='> ' bash --norc --noprofile -i",
  zsh: "PS1='> ' zsh -f -i",
  fish: 'fish --no-config -i',
} as const;

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  test(`in a real ${shell}, Tab completes commands, options, identities, settings, paths and files, and nobody is asked`, async () => {
    await using world = await typist();
    const env = { ...world.env(), PATH: `${world.home}:${process.env.PATH}`, LANG: 'C.UTF-8' };
    using terminal = new Terminal({ env, cwd: world.home });
    writeFileSync(join(world.home, 'script'), completionScript(shell));
    terminal.type(STARTS[shell]);
    terminal.type('source ./script');
    terminal.type("clear; echo com'plete'");
    await terminal.shows(/^complete$/m);
    for (const [typed, becomes] of TYPED) {
      terminal.press(typed);
      terminal.press('Tab');
      // The cursor stands where the word ends: a mark makes a blank at the end of the line seen.
      terminal.press('X');
      await terminal.shows(new RegExp(becomes.source.replace('$', 'X'), 'm'));
      terminal.press('C-u');
    }
    await leave(terminal);
    assert.deepEqual(world.sandbox.seen, []);
  });
}

/** Ends the inner shell, so that it writes nothing any more when the world is cleared away. */
async function leave(terminal: Terminal): Promise<void> {
  terminal.press('C-u');
  terminal.type('exit');
  await terminal.shows(/READY> $/m);
}

test('the scripts are what their shells can read, and hold no word of any command', async () => {
  await using world = await World.create();
  const file = join(world.home, 'script');
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    writeFileSync(file, completionScript(shell));
    execFileSync(shell, ['-n', file]);
  }
  for (const shell of SHELLS) assert.doesNotMatch(completionScript(shell), /login|--as\b/);
  // No PowerShell is at hand: this much can be told without one.
  const powershell = completionScript('powershell');
  assert.match(powershell, /^Register-ArgumentCompleter -Native -CommandName podio/);
  for (const [open, shut] of ['{}', '()', '[]'].map((pair) => pair.split('')))
    assert.equal(powershell.split(open ?? '').length, powershell.split(shut ?? '').length);
});

test('a shell is answered from two files and the list of identities, and from nothing else of podio', async () => {
  await using world = await typist();
  checkStrace();
  const { operations, stdout } = await traced(world, ['__complete', 'zsh', '=', 'logout'], {});
  assert.match(stdout, /^work\tapp:123456$/m);
  const opened = operations.filter(({ line }) => line.includes('O_RDONLY') && !line.includes('ENOENT'));
  const own = opened.flatMap(({ line }) => new RegExp(`"${resolve('.')}/([^"]*)"`).exec(line)?.[1] ?? []);
  const files = own.filter((name) => !name.endsWith('package.json'));
  assert.deepEqual([...new Set(files)].toSorted(), [
    'bin/podio.js',
    'dist/complete/complete.cjs',
    'dist/complete/table.json',
  ]);
  assert.ok(!operations.some(({ line }) => line.includes('/sessions/')));
  assert.deepEqual(world.sandbox.seen, []);
});

test('where there is no store, or a damaged one, all else is completed, and nothing is said', async () => {
  await using world = await World.create();
  for (const env of [{ HOME: undefined }, { PODIO_DATA_DIR: '/proc/1' }, { PODIO_DATA_DIR: 'relative' }]) {
    const answer = await world.run(['__complete', 'zsh', '=st'], { env });
    assert.deepEqual(answer, {
      exit: 0,
      stdout: 'status\ttell who is logged in, and until when\n',
      stderr: '',
    });
    assert.equal((await world.run(['__complete', 'zsh', '=', 'logout'], { env })).stderr, '');
  }
  assert.deepEqual(treeOf(world.home), {});
});

test('install writes marked lines into the start file, uninstall leaves it as it was, byte for byte', async () => {
  await using world = await World.create();
  const file = join(world.home, '.bashrc');
  const env = { SHELL: '/usr/bin/bash' };
  for (const before of ['alias ll="ls -l"\n', '\n\n# é\n', undefined]) {
    if (before !== undefined) writeFileSync(file, before);
    const planned = succeeds(await world.podio(['completion', 'install', '--dry-run'], { env }));
    assert.equal(existsSync(file) ? readFileSync(file, 'utf8') : undefined, before);
    succeeds(await world.podio(['completion', 'install'], { env }));
    assert.equal(readFileSync(file, 'utf8'), planned);
    assert.ok(planned.startsWith(before ?? '') && planned.includes(completionScript('bash')));
    succeeds(await world.podio(['completion', 'install', 'bash']));
    assert.equal(readFileSync(file, 'utf8'), planned, 'twice is once');
    succeeds(await world.podio(['completion', 'uninstall'], { env }));
    assert.equal(existsSync(file) ? readFileSync(file, 'utf8') : undefined, before);
    if (before !== undefined) execFileSync('rm', [file]);
  }
  assert.match((await world.podio(['completion', 'uninstall'], { env })).stderr, /There is none in /);
});

test('install knows the start file of each shell, and asks where it cannot know', async () => {
  await using world = await World.create();
  mkdirSync(join(world.home, 'z'));
  for (const shell of SHELLS)
    succeeds(
      await world.podio(['completion', 'install', shell], { env: { ZDOTDIR: join(world.home, 'z') } }),
    );
  for (const file of ['.bashrc', 'z/.zshrc', '.config/fish/completions/podio.fish'])
    assert.match(readFileSync(join(world.home, file), 'utf8'), /__complete/);
  fails(
    await world.podio(['completion', 'install'], { env: { SHELL: '/bin/tcsh' } }),
    2,
    /"tcsh"/,
    /bash\|zsh/,
  );
  fails(await world.podio(['completion', 'install'], { env: { SHELL: undefined } }), 2, /for which shell/);
  fails(await world.podio(['completion', 'install', 'zsh'], { env: { HOME: undefined } }), 2, /not known/);
  fails(await world.podio(['completion', 'bash', 'zsh']), 2, /nothing more/);
});

test('a start file that has lost one of the two marks is left alone', async () => {
  await using world = await World.create();
  const file = join(world.home, '.bashrc');
  writeFileSync(file, '# >>> podio completion >>>\nmine\n');
  for (const action of ['install', 'uninstall'])
    fails(
      await world.podio(['completion', action, 'bash']),
      8,
      /one is missing/,
      /# <<< podio completion <<<$/,
    );
  assert.equal(readFileSync(file, 'utf8'), '# >>> podio completion >>>\nmine\n');
});

test('an installed completion serves the next shell', async () => {
  await using world = await typist();
  const env = { ...world.env(), PATH: `${world.home}:${process.env.PATH}`, LANG: 'C.UTF-8' };
  succeeds(await world.podio(['completion', 'install', 'bash']));
  using terminal = new Terminal({ env, cwd: world.home });
  terminal.type("PS1='> ' bash --noprofile -i");
  terminal.type("clear; echo com'plete'");
  await terminal.shows(/^complete$/m);
  terminal.press('podio stat');
  terminal.press('Tab');
  await terminal.shows(/podio status/);
  await leave(terminal);
});

import assert from 'node:assert/strict';
import { chmodSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SETTINGS } from '../src/cli/setting.ts';
import { World } from './support/cli.ts';
import { fails, nothingSet, succeeds, treeOf } from './support/commands.ts';

/** Nothing but the settings has a say. */
const QUIET = { PODIO_SESSION_MANAGER: undefined, PODIO_API_URL: undefined };

function fileOf({ home }: World): string {
  return join(home, '.config/podio/config.json');
}

function writeSettings(world: World, text: string): string {
  mkdirSync(join(world.home, '.config/podio'), { recursive: true });
  writeFileSync(fileOf(world), text);
  return fileOf(world);
}

test('what is set is kept in a file of mode 0600, typed, and serves every later command', async () => {
  await using world = await World.create();
  const env = { ...QUIET };
  for (const words of [
    ['as', 'ada'],
    ['no_input', 'true'],
    ['color', 'never'],
    ['api_url', world.sandbox.url],
  ])
    succeeds(await world.podio(['config', 'set', ...words], { env }));
  const file = fileOf(world);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), {
    as: 'ada',
    no_input: true,
    color: 'never',
    api_url: world.sandbox.url,
  });
  assert.equal(succeeds(await world.podio(['config', 'get', 'as'], { env })), 'ada\n');
  assert.equal(succeeds(await world.podio(['config', 'path'], { env })), `${file}\n`);
  fails(await world.podio(['call', '/item/123'], { env: { ...env, ...nothingSet().env } }), 3, /"ada"/);
  succeeds(await world.podio(['config', 'unset', 'as'], { env }));
  assert.ok(!readFileSync(file, 'utf8').includes('ada'));
  assert.equal(succeeds(await world.podio(['config', 'get', 'as'], { env })), '');
});

test('option, environment, settings and default stand above each other in this order, and explain says which holds', async () => {
  await using world = await World.create();
  const manager = async (argv: readonly string[], env: Record<string, string | undefined>) => {
    const answer = await world.podio(['config', 'explain', 'session_manager', '--json', ...argv], { env });
    const { value, source } = JSON.parse(succeeds(answer));
    assert.equal(
      succeeds(await world.podio(['config', 'get', 'session_manager', ...argv], { env })),
      `${value}\n`,
    );
    return `${source} ${value}`;
  };
  assert.equal(await manager([], QUIET), 'default auto');
  succeeds(await world.podio(['config', 'set', 'session_manager', 'memory'], { env: QUIET }));
  assert.equal(await manager([], QUIET), 'settings memory');
  assert.equal(await manager([], { PODIO_SESSION_MANAGER: 'file' }), 'environment file');
  assert.equal(await manager(['--session-manager', 'keychain'], {}), 'option keychain');
  const told = succeeds(await world.podio(['config', 'explain', 'session_manager'], { env: { ...QUIET } }));
  assert.match(told, /^→ settings .*config\.json\tmemory$/m);
  assert.match(told, /^ {2}environment PODIO_SESSION_MANAGER\t-$/m);
});

test('list tells every setting, its value and who said so', async () => {
  await using world = await World.create();
  const env = { ...QUIET, PODIO_AS: 'ada', PODIO_NO_INPUT: '1' };
  const rows = JSON.parse(
    succeeds(await world.podio(['config', 'list', '--json', '--color', 'never'], { env })),
  );
  const told = Object.fromEntries(rows.map(({ key, ...row }: { key: string }) => [key, row]));
  assert.deepEqual(
    Object.keys(told),
    SETTINGS.map(({ key }) => key),
  );
  assert.deepEqual(told.as, { value: 'ada', source: 'environment', name: 'PODIO_AS' });
  assert.deepEqual(told.color, { value: 'never', source: 'option', name: '--color' });
  assert.deepEqual(told.no_input, { value: 'true', source: 'environment', name: 'PODIO_NO_INPUT' });
  assert.deepEqual(told.api_url, { value: 'https://api.podio.com', source: 'default' });
});

test('what no setting can be is refused, with what it can be, and nothing is written', async () => {
  await using world = await World.create();
  const refused: readonly (readonly [words: readonly string[], why: RegExp, hint?: RegExp])[] = [
    [['set', 'colour', 'never'], /no setting "colour"/, /did you mean color\?/],
    [['get', 'api-url'], /no setting "api-url"/, /did you mean api_url\?/],
    [['unset', 'frobnicate'], /no setting "frobnicate"/, /the settings are as, api_url/],
    [['set', '__proto__', 'x'], /no setting/],
    [['set', 'color', 'red'], /must be auto, always or never/],
    [['set', 'no_input', 'maybe'], /must be true or false/],
    [['set', 'api_url', 'http://example.com'], /must be an https address/],
    [['set', 'session_manager', 'kechain'], /must be auto, keychain/],
    [['set', 'as', 'a b'], /must be the name of an identity/],
    [['set', 'as', ''], /must be the name of an identity/],
    [['set', 'as'], /takes a key and a value/],
    [['list', 'as'], /takes nothing more/],
    [['frob'], /action/],
  ];
  for (const [words, why, hint] of refused) fails(await world.podio(['config', ...words]), 2, why, hint);
  assert.deepEqual(treeOf(world.home), {});
});

test('secrets are refused, and never told again', async () => {
  await using world = await World.create();
  for (const key of ['client_secret', 'PODIO_APP_TOKEN', 'password', 'access_token'])
    fails(await world.podio(['config', 'set', key, 'abc']), 2, /sounds like a secret/, /podio help storage/);
  const url = 'rediss://ada:hunter2@example.com/0';
  fails(await world.podio(['config', 'set', 'session_manager', url]), 2, /password/, /PODIO_SESSION_MANAGER/);
  assert.deepEqual(treeOf(world.home), {});
  for (const words of [
    ['list'],
    ['get', 'session_manager'],
    ['explain', 'session_manager'],
    ['list', '--json'],
  ]) {
    const { stdout, stderr } = await world.podio(['config', ...words], {
      env: { PODIO_SESSION_MANAGER: url },
    });
    assert.match(stdout, /rediss:\/\/ada:…@example\.com/);
    assert.ok(!(stdout + stderr).includes('hunter2'));
  }
});

test('keys that podio does not know are kept, told of, and can be taken out', async () => {
  await using world = await World.create();
  const file = writeSettings(world, '{"colour":"red","other":{"a":[1]},"as":"ada"}');
  succeeds(await world.podio(['config', 'set', 'as', 'bob']));
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), { colour: 'red', other: { a: [1] }, as: 'bob' });
  assert.match(
    (await world.podio(['config', 'list'])).stderr,
    /"colour" in .* is no setting; did you mean color/,
  );
  succeeds(await world.podio(['config', 'unset', 'colour']));
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), { other: { a: [1] }, as: 'bob' });
});

test('a link into a folder of dotfiles stays a link, and the file behind it keeps its mode', async () => {
  await using world = await World.create();
  const real = join(world.home, 'dotfiles.json');
  writeFileSync(real, '{}', { mode: 0o644 });
  mkdirSync(join(world.home, '.config/podio'), { recursive: true });
  symlinkSync('../../dotfiles.json', fileOf(world));
  succeeds(await world.podio(['config', 'set', 'as', 'ada']));
  assert.ok(lstatSync(fileOf(world)).isSymbolicLink());
  assert.deepEqual(JSON.parse(readFileSync(real, 'utf8')), { as: 'ada' });
  assert.equal(statSync(real).mode & 0o777, 0o644);
  assert.deepEqual(Object.keys(treeOf(join(world.home, '.config'))), ['podio', 'podio/config.json']);
});

test('a damaged settings file is told of by whoever reads it, and changed by nobody', async () => {
  await using world = await World.create();
  for (const damaged of ['{"as":', '[]', '', 'x'.repeat(70_000)]) {
    const file = writeSettings(world, damaged);
    for (const words of [['list'], ['get', 'as'], ['explain', 'as']]) {
      const { exit, stderr } = await world.podio(['config', ...words]);
      assert.equal(exit, 0, stderr);
      assert.match(stderr, /the settings in .* are not a JSON object and are ignored/);
    }
    const hint = /mv '.*config\.json' '.*\.old'/;
    fails(await withoutWarning(world, ['config', 'set', 'as', 'ada']), 8, /not a JSON object/, hint);
    fails(await withoutWarning(world, ['config', 'unset', 'as']), 8, /not a JSON object/, hint);
    assert.equal(readFileSync(file, 'utf8'), damaged);
  }
});

async function withoutWarning(world: World, argv: readonly string[]) {
  const { stderr, ...rest } = await world.podio(argv);
  return { ...rest, stderr: stderr.replace(/^podio: warning: .*\n/, '') };
}

test('settings that are not valid stop every call, but neither list, explain nor their mending', async () => {
  await using world = await World.create();
  writeSettings(world, '{"api_url":"ftp://x","color":"red"}');
  const env = { ...QUIET };
  fails(await world.podio(['status'], { env }), 2, /must be/);
  assert.match(succeeds(await world.podio(['config', 'list'], { env })), /^api_url\tftp:\/\/x\tsettings/m);
  assert.match(succeeds(await world.podio(['config', 'explain', 'color'], { env })), /red \(it must be auto/);
  for (const key of ['api_url', 'color']) succeeds(await world.podio(['config', 'unset', key], { env }));
  assert.equal((await world.podio(['status', '--offline'])).exit, 3);
});

test('a settings file that is read-only is not replaced, and blocks no login', async () => {
  await using world = await World.create();
  const file = writeSettings(world, '{"color":"never"}');
  chmodSync(file, 0o444);
  fails(
    await world.podio(['config', 'set', 'as', 'ada']),
    8,
    /cannot write .*config\.json \(EACCES\)/,
    /ls -ld/,
  );
  assert.equal(readFileSync(file, 'utf8'), '{"color":"never"}');
  succeeds(await world.podio(['login', '--app']));
  succeeds(await world.podio(['call', '/item/123']));
});

test('twelve processes that set something at once all have their way', async () => {
  await using world = await World.create();
  const strangers = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`mine_${at}`, at]));
  const file = writeSettings(world, JSON.stringify({ ...strangers, kept: true }));
  const ended = await Promise.all(Object.keys(strangers).map((key) => world.run(['config', 'unset', key])));
  for (const one of ended) succeeds(one);
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), { kept: true });
});

test('a variable that stands above what was just set is named', async () => {
  await using world = await World.create();
  const { stderr } = await world.podio(['config', 'set', 'as', 'bob'], { env: { PODIO_AS: 'ada' } });
  assert.match(stderr, /warning: PODIO_AS is set, and stands above it/);
});

test('where no place can be named for settings, list still tells what holds', async () => {
  await using world = await World.create();
  const env = { ...QUIET, HOME: undefined };
  assert.match(succeeds(await world.podio(['config', 'list'], { env })), /^color\tauto\tdefault$/m);
  fails(await world.podio(['config', 'set', 'as', 'ada'], { env }), 8, /HOME is not set/);
  fails(await world.podio(['config', 'path'], { env }), 8, /HOME is not set/);
});

test('settings that everybody may write are shown with a warning, and not written to', async () => {
  await using world = await World.create();
  const file = writeSettings(world, '{"color":"never"}');
  chmodSync(file, 0o666);
  const { exit, stderr } = await world.podio(['config', 'list']);
  assert.equal(exit, 0);
  assert.match(stderr, /can be written by everybody/);
  fails(await world.podio(['config', 'set', 'as', 'ada']), 8, /can be written by everybody/, /chmod o-w/);
  assert.equal(readFileSync(file, 'utf8'), '{"color":"never"}');
});

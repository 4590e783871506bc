import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { BIN, type Outcome, outcome, World } from './support/cli.ts';
import { fails, NOTHING_SET, succeeds } from './support/commands.ts';
import { type Keyring, startKeyring } from './support/keyring.ts';

const ROOT = dirname(dirname(BIN));
const CALL = ['call', '/item/123'];
const PACKAGES = ['keytar', 'fs-native-extensions', 'commander', 'execa', '@clack/prompts', 'env-paths'];

async function withKeyring(t: TestContext): Promise<Keyring> {
  const keyring = await startKeyring();
  t.after(() => keyring.close());
  return keyring;
}

/** A folder in which everything that some program or other would read on its way lies ready and does harm. */
function layTraps(folder: string, marker: string): void {
  const harm = `require('fs').writeFileSync(${JSON.stringify(marker)}, process.argv.join(' '));`;
  const settings = { api_url: 'http://127.0.0.1:1', as: 'evil', session_manager: './evil.js' };
  const login =
    'PODIO_ACCESS_TOKEN=evil\nPODIO_API_URL=http://127.0.0.1:1\nNODE_OPTIONS=--require ./evil.js\n';
  const json = JSON.stringify({
    ...settings,
    podio: settings,
    type: 'module',
    imports: { '#x': './evil.js' },
  });
  const files = {
    ...Object.fromEntries(['.env', '.env.local', '.envrc'].map((name) => [name, login])),
    ...Object.fromEntries(
      ['config.json', '.podiorc', 'podio.json', 'package.json'].map((name) => [name, json]),
    ),
    ...Object.fromEntries(
      ['podio.config.js', 'podio.config.cjs', 'evil.js', 'index.js'].map((name) => [name, harm]),
    ),
    '.npmrc': 'node-options=--require ./evil.js\n',
    'node.config.json': '{"nodeOptions":{"require":["./evil.js"]}}',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  for (const name of [...PACKAGES, 'podio', 'podio-plugin', 'debug', 'supports-color']) {
    mkdirSync(join(folder, 'node_modules', name), { recursive: true });
    writeFileSync(join(folder, 'node_modules', name, 'index.js'), harm);
  }
}

/** Which places below a folder, in which it stands, a command and its children have asked the system about. */
async function touched(
  folder: string,
  words: readonly string[],
  env: Record<string, string>,
): Promise<string[]> {
  const log = `${folder}.trace`;
  const strace = ['strace', '-f', '-qq', '-e', 'trace=%file', '-o', log];
  const [file = '', ...args] = [...strace, process.execPath, BIN, ...words];
  const child = spawn(file, args, { env, cwd: folder });
  child.stdin.end();
  succeeds(await outcome(child));
  const lines = readFileSync(log, 'utf8').split('\n');
  // So the trace is one of podio itself.
  assert.ok(lines.some((line) => line.includes('/dist/cli/main.cjs"')));
  const places = lines.flatMap((line) => /^\d+ +(?!getcwd|chdir)\w+\([^"]*"([^"]*)"/.exec(line)?.[1] ?? []);
  // An empty path means an open file.
  return places.filter((place) => place !== '' && (!place.startsWith('/') || place.startsWith(folder)));
}

test('threat 18: nothing in the working directory is looked at, let alone read or run', async (t) => {
  await using world = await World.create();
  const { DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR } = (await withKeyring(t)).env;
  const [folder, marker] = [join(world.home, 'trap'), join(world.home, 'sprung')];
  mkdirSync(folder);
  layTraps(folder, marker);
  const files = world.env({ PWD: folder });
  const keychain = world.env({
    DBUS_SESSION_BUS_ADDRESS,
    XDG_RUNTIME_DIR,
    PODIO_SESSION_MANAGER: 'keychain',
  });
  for (const env of [files, keychain]) {
    const stored = Object.fromEntries(Object.entries(env).filter(([name]) => !(name in NOTHING_SET)));
    assert.deepEqual(await touched(folder, ['login', '--app'], env), []);
    for (const words of [CALL, ['status'], ['doctor'], ['refresh'], ['help'], ['logout']])
      assert.deepEqual(await touched(folder, words, stored), [], words.join(' '));
  }
  assert.deepEqual(await touched(folder, ['sandbox', '--', 'true'], files), []);
  assert.ok(!existsSync(marker));
});

/** podio as it is published, with these packages beside it, none unless told. */
function installed(world: World, packages: Readonly<Record<string, string>> = {}): string {
  const folder = join(world.home, 'installed');
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  for (const [name, code] of Object.entries(packages)) {
    mkdirSync(join(folder, 'node_modules', name), { recursive: true });
    writeFileSync(join(folder, 'node_modules', name, 'index.js'), code);
  }
  return join(folder, 'bin/podio.js');
}

function run(
  world: World,
  bin: string,
  words: readonly string[],
  more: Record<string, string> = {},
): Promise<Outcome> {
  return outcome(spawn(process.execPath, [bin, ...words], { env: world.env(more), cwd: world.home }));
}

/** Compiles a program of its own, as long as the bundle, which is all that V8 compares; what it does shows in `marker`. */
const FORGE = `
  const [bundle, cache, marker] = process.argv.slice(1);
  const { readFileSync, rmSync, writeFileSync } = require('node:fs');
  const source = readFileSync(bundle, 'latin1');
  const evil = \`exports.start = async () => { require('node:fs').writeFileSync(\${JSON.stringify(marker)}, ''); };\`;
  const [head, tail] = ['(function (exports, require, __filename) {', '\\n})'];
  const script = new (require('node:vm').Script)(head + evil.padEnd(source.length) + tail);
  const forged = {};
  script.runInThisContext()(forged, require);
  forged.start().then(() => {
    rmSync(marker);
    const mark = Buffer.from(source.slice(0, source.indexOf('*/')), 'latin1');
    writeFileSync(cache, Buffer.concat([mark, script.createCachedData()]));
  });
`;

for (const [words, suffix] of [
  [['--version'], ''],
  [['help'], '.help'],
] as const)
  test(`threat 22: compiled code beside the bundle is run only where nobody else could have put it there (${words})`, async () => {
    await using world = await World.create();
    const bin = installed(world);
    const bundle = join(bin, '../../dist/cli/main.cjs');
    const marker = join(world.home, 'sprung');
    succeeds(await run(world, bin, words));
    const file = `${bundle}.${process.version}-${process.arch}${suffix}`;
    assert.equal(statSync(file).mode & 0o777, 0o644);
    const forging = ['-e', FORGE, bundle, file, marker];
    assert.equal((await outcome(spawn(process.execPath, forging))).exit, 0);
    const isSprung = async () => {
      await run(world, bin, words);
      return existsSync(marker);
    };
    for (const mode of [0o666, 0o664]) {
      const forged = readFileSync(file);
      chmodSync(file, mode);
      assert.equal(await isSprung(), false, mode.toString(8));
      writeFileSync(file, forged);
    }
    chmodSync(file, 0o644);
    if (process.getuid?.() === 0) {
      const forged = readFileSync(file);
      chownSync(file, 65534, 65534);
      assert.equal(await isSprung(), false, 'of another user');
      rmSync(file);
      writeFileSync(file, forged, { mode: 0o644 });
    }
    // So the forgery was one.
    assert.equal(await isSprung(), true);
  });

test('threat 22: without any package beside it, podio works with files and says why not with the keychain', async () => {
  await using world = await World.create();
  const bin = installed(world);
  for (const words of [
    ['--version'],
    ['help'],
    ['login', '--app'],
    CALL,
    ['refresh'],
    ['status'],
    ['logout'],
  ])
    succeeds(await run(world, bin, words));
  const keychain = { PODIO_SESSION_MANAGER: 'keychain' };
  fails(
    await run(world, bin, ['login', '--app'], keychain),
    8,
    /keytar is not installed/,
    /--session-manager file/,
  );
  const auto = await run(world, bin, ['login', '--app'], { PODIO_SESSION_MANAGER: 'auto' });
  assert.match(auto.stderr, /warning: the keychain is not used: .*\n.*kept in the file /);
  assert.equal(auto.exit, 0);
});

test('threat 22: native code is loaded by whoever needs it alone, keytar in no process but the helper', async () => {
  await using world = await World.create();
  const note = (name: string) =>
    `require('fs').appendFileSync(${JSON.stringify(world.home)} + '/loaded', '${name} ' + process.argv[1] + '\\n');`;
  const bin = installed(world, {
    keytar: note('keytar'),
    'fs-native-extensions': `${note('locks')} throw new Error('not here')`,
  });
  const loaded = () => {
    const text = existsSync(join(world.home, 'loaded'))
      ? readFileSync(join(world.home, 'loaded'), 'utf8')
      : '';
    writeFileSync(join(world.home, 'loaded'), '');
    return [...new Set(text.split('\n'))].filter(Boolean).map((line) => line.replace(/ .*\//, ' '));
  };
  succeeds(await run(world, bin, ['login', '--app']));
  assert.deepEqual(loaded(), ['locks podio.js']);
  for (const words of [
    ['--version'],
    ['help'],
    ['login', '--help'],
    CALL,
    ['token'],
    ['status', '--offline'],
  ])
    succeeds(await run(world, bin, words));
  assert.deepEqual(loaded(), []);
  await run(world, bin, ['login', '--app'], { PODIO_SESSION_MANAGER: 'keychain' });
  assert.deepEqual(loaded(), ['locks podio.js', 'keytar keychain-helper.cjs']);
});

test('threat 22: what podio is installed with is pinned to its content; native code is in two packages', () => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const entries: [string, Record<string, unknown>][] = Object.entries(packages);
  const shipped = entries.filter(([path, { dev }]) => path !== '' && !dev);
  assert.ok(shipped.length > 5);
  for (const [path, { integrity, resolved }] of shipped) {
    assert.match(String(integrity), /^sha512-/, path);
    assert.match(String(resolved ?? REGISTRY), new RegExp(`^${REGISTRY}`), path);
  }
  const paths = shipped.map(([path]) => path);
  const withScripts = shipped.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
  const native = paths.filter((path) => hasNativeCode(join(ROOT, path)));
  assert.deepEqual(withScripts, ['node_modules/keytar']);
  assert.deepEqual(native, ['node_modules/fs-native-extensions', 'node_modules/keytar']);
});

const REGISTRY = 'https://registry.npmjs.org/';

function hasNativeCode(folder: string): boolean {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).some((name) =>
    /\.(node|bare)$/.test(name),
  );
}

import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { outcome, World } from './support/cli.ts';
import { fails, nothingSet, succeeds } from './support/commands.ts';
import { promptly } from './support/promptly.ts';

/** What somebody writes in five minutes: one JSON file, get and set, neither of them waited for. */
const BODY = (store: string) => `{
  constructor(options) { this.options = options; }
  get({ type, identifier }) { return this.all()[type + ':' + identifier]; }
  set(oauth, { type, identifier }) {
    fs.writeFileSync(${JSON.stringify(store)}, JSON.stringify({ ...this.all(), [type + ':' + identifier]: oauth }));
  }
  all() { return fs.existsSync(${JSON.stringify(store)}) ? JSON.parse(fs.readFileSync(${JSON.stringify(store)})) : {}; }
}`;

const FORMS: Readonly<Record<string, (store: string) => string>> = {
  'class.mjs': (store) => `import fs from 'node:fs';\nexport default class Mine ${BODY(store)}`,
  'instance.mjs': (store) => `import fs from 'node:fs';\nexport default new (class Mine ${BODY(store)})();`,
  'class.cjs': (store) => `const fs = require('node:fs');\nmodule.exports = class Mine ${BODY(store)};`,
  'compiled.cjs': (store) =>
    `const fs = require('node:fs');\nexports.__esModule = true;\nexports.default = class Mine ${BODY(store)};`,
};

function place(world: World, name: string, text: string): string {
  const file = join(world.home, name);
  writeFileSync(file, text);
  return file;
}

function mine(world: World, name = 'class.mjs'): { file: string; store: string } {
  const store = join(world.home, 'mine.json');
  return { file: place(world, name, FORMS[name]?.(store) ?? ''), store };
}

const own = { PODIO_SESSION_MANAGER: undefined };

for (const name of Object.keys(FORMS)) {
  test(`${name} keeps the session of a login that names it, and later runs find it from anywhere`, async () => {
    await using world = await World.create();
    const { store } = mine(world, name);
    // The process stands in its HOME: the path is one from there.
    succeeds(await world.run(['login', '--app', '--session-manager', `./${name}`], { env: own }));
    const elsewhere = nothingSet(own);
    succeeds(await world.podio(['call', '/item/123', '--silent'], elsewhere));
    assert.match(readFileSync(store, 'utf8'), /"app:123456":\{"accessToken":"/);
    assert.equal(world.sandbox.tokenRequests(), 1);
  });
}

test('every command reaches the manager that keeps a session: status, list, doctor, refresh, move, logout', async () => {
  await using world = await World.create();
  const { file, store } = mine(world);
  succeeds(
    await world.podio(['login', '--app', '--session-manager', pathToFileURL(file).href], { env: own }),
  );
  const options = nothingSet(own);
  assert.match(
    succeeds(await world.podio(['status'], options)),
    /session +the session manager \/.*class\.mjs/,
  );
  assert.match(succeeds(await world.podio(['sessions', 'list'], options)), /class\.mjs\tvalid/);
  assert.match(succeeds(await world.podio(['doctor', '--offline'], options)), /✓ identity +app:123456/);
  succeeds(await world.podio(['refresh'], options));
  succeeds(await world.podio(['sessions', 'move', 'app:123456', '--to', 'file'], options));
  assert.match(readFileSync(store, 'utf8'), /"accessToken":""/);
  succeeds(await world.podio(['sessions', 'move', 'app:123456', '--to', file], options));
  succeeds(await world.podio(['call', '/item/123', '--silent'], options));
  succeeds(await world.podio(['logout'], options));
  assert.match(readFileSync(store, 'utf8'), /"accessToken":""/);
  assert.equal(world.sandbox.tokenRequests(), 2);
});

test('logout forgets what a manager has that is named for this once', async () => {
  await using world = await World.create();
  const { file, store } = mine(world);
  succeeds(await world.podio(['login', '--app', '--session-manager', file]));
  succeeds(await world.podio(['login', '--app', '--session-manager', 'file']));
  assert.match(readFileSync(store, 'utf8'), /"accessToken":""/, 'the first session was left behind');
  succeeds(await world.podio(['call', '/item/123', '--silent', '--session-manager', file]));
  succeeds(await world.podio(['logout', '--session-manager', file]));
  assert.match(readFileSync(store, 'utf8'), /"accessToken":""/);
});

test('two names of one store do not make it lose its session', async () => {
  await using world = await World.create();
  const { file } = mine(world);
  const other = place(world, 'other.mjs', readFileSync(file, 'utf8'));
  succeeds(await world.podio(['login', '--app', '--session-manager', file], { env: own }));
  succeeds(await world.podio(['login', '--app', '--session-manager', other], { env: own }));
  succeeds(await world.podio(['call', '/item/123', '--silent'], nothingSet(own)));
  succeeds(await world.podio(['sessions', 'move', 'app:123456', '--to', file], nothingSet(own)));
  succeeds(await world.podio(['call', '/item/123', '--silent'], nothingSet(own)));
});

test('a login goes on where the manager before is gone', async () => {
  await using world = await World.create();
  const { file } = mine(world);
  succeeds(await world.podio(['login', '--app', '--session-manager', file]));
  rmSync(file);
  fails(await world.podio(['call', '/item/123'], nothingSet(own)), 2, /no session manager at/);
  assert.match(succeeds(await world.podio(['sessions', 'list'], nothingSet(own))), /unreadable/);
  const again = await world.podio(['login', '--app']);
  succeeds(again);
  assert.match(again.stderr, /still kept elsewhere/);
  succeeds(await world.podio(['call', '/item/123', '--silent'], nothingSet(own)));
});

test('the settings file may name a manager by its whole path, and by no other', async () => {
  await using world = await World.create();
  const { file, store } = mine(world);
  const config = join(world.home, '.config/podio');
  mkdirSync(config, { recursive: true });
  writeFileSync(join(config, 'config.json'), JSON.stringify({ session_manager: './class.mjs' }));
  fails(await world.run(['login', '--app'], { env: own }), 2, /relative path/, /whole path/);
  writeFileSync(join(config, 'config.json'), JSON.stringify({ session_manager: file }));
  succeeds(await world.run(['login', '--app'], { env: own }));
  assert.ok(existsSync(store));
});

test('nothing in the working directory is taken for a session manager', async () => {
  await using world = await World.create();
  const ran = join(world.home, 'it-ran');
  const trap = `require('node:fs').writeFileSync(${JSON.stringify(ran)}, '')`;
  const names = ['my-manager', 'keychian', '@me/manager', 'memory', 'file', 'auto'];
  for (const name of names) {
    const folder = join(world.home, 'node_modules', name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, main: 'index.js' }));
    writeFileSync(join(folder, 'index.js'), trap);
    place(world, `${name.replace('/', '-')}.js`, trap);
  }
  place(world, 'config.json', JSON.stringify({ session_manager: './memory.js' }));
  const traps = [
    'my-manager',
    'my-manager.js',
    '@me/manager',
    'node_modules/my-manager',
    'my-manager/../../x',
  ];
  for (const name of traps) {
    const tried = await world.run(['login', '--app', '--session-manager', name]);
    fails(tried, 2, /there is no session manager/, /\.\//);
    fails(await world.run(['status'], { env: { PODIO_SESSION_MANAGER: name } }), 2, /no session manager/);
  }
  fails(
    await world.run(['login', '--app', '--session-manager', 'keychian']),
    2,
    /keychian/,
    /did you mean keychain/,
  );
  for (const name of ['file', 'memory'])
    succeeds(await world.run(['login', '--app', '--session-manager', name]));
  assert.ok(!existsSync(ran), 'a module from the working directory was run');
});

test('a package that is installed beside podio is found by its name, an ES module only as well', async () => {
  await using world = await World.create();
  const modules = join(world.home, 'prefix/lib/node_modules');
  for (const part of ['bin', 'dist', 'package.json']) {
    cpSync(resolve(part), join(modules, 'podio-cli', part), { recursive: true });
  }
  const { store } = mine(world);
  mkdirSync(join(modules, 'my-manager'));
  writeFileSync(
    join(modules, 'my-manager/package.json'),
    JSON.stringify({ name: 'my-manager', type: 'module', exports: { import: './mine.js' } }),
  );
  writeFileSync(join(modules, 'my-manager/mine.js'), FORMS['class.mjs']?.(store) ?? '');
  const { spawn } = await import('node:child_process');
  const program = join(modules, 'podio-cli/bin/podio.js');
  const args = [program, 'login', '--app', '--session-manager', 'my-manager'];
  const ended = await outcome(spawn(process.execPath, args, { cwd: world.home, env: world.env(own) }));
  succeeds(ended);
  assert.ok(existsSync(store));
});

test('an import chooses no module to run', async () => {
  await using world = await World.create();
  const { file, store } = mine(world);
  succeeds(await world.podio(['login', '--app']));
  succeeds(await world.podio(['sessions', 'export', '--reveal', '-o', join(world.home, 'export.json')]));
  const text = readFileSync(join(world.home, 'export.json'), 'utf8');
  const changed = place(
    world,
    'changed.json',
    text.replace('"session_manager": "file"', `"session_manager": "${file}"`),
  );
  assert.match(readFileSync(changed, 'utf8'), /class\.mjs/);
  succeeds(await world.podio(['logout']));
  succeeds(await world.podio(['sessions', 'import', changed], { env: own }));
  assert.ok(!existsSync(store));
});

const TOKEN = 'c0ffee00c0ffee00c0ffee00c0ffee00';

const FAULTS: readonly [name: string, text: string, exit: number, why: RegExp][] = [
  ['throws when it is loaded', "throw new Error('no such disk')", 8, /could not be loaded: no such disk/],
  ['is no JavaScript', 'export default class {', 8, /could not be loaded: SyntaxError/],
  ['imports what is not there', "import 'nowhere-to-be-found'; export default {};", 8, /could not be loaded/],
  ['exports nothing', 'export const manager = 1;', 2, /no default export/],
  ['exports a number', 'export default 42;', 2, /is a number/],
  ['exports a promise', 'export default Promise.resolve({ get() {}, set() {} });', 2, /is a promise/],
  ['has no set', 'export default class { get() {} }', 2, /has no set/],
  ['has no get', 'export default { set() {} };', 2, /has no get/],
  [
    'cannot be made',
    "export default class { constructor() { throw new Error('no place') } get() {} set() {} }",
    8,
    /could not be made: no place/,
  ],
  [
    'throws in get',
    `export default { get() { throw new Error('bad ${TOKEN}') }, set() {} };`,
    8,
    /get failed: bad …/,
  ],
  [
    'throws no Error',
    'export default { get() { throw null }, set() {} };',
    8,
    /get failed: it threw something/,
  ],
  [
    'quotes in get',
    `export default { get() { return JSON.parse('x${TOKEN}') }, set() {} };`,
    8,
    /get failed: SyntaxError/,
  ],
  ['answers a text', `export default { get: () => '${TOKEN}', set() {} };`, 8, /answered with a string/],
  [
    'answers a Map',
    'export default { get: () => new Map(), set() {} };',
    8,
    /answered with an object \(Map\)/,
  ],
  [
    'answers something else',
    'export default { get: () => ({ session: 1 }), set() {} };',
    8,
    /has no accessToken/,
  ],
  [
    'answers a token with a line end',
    'export default { get: () => ({ access_token: "a\\nb" }), set() {} };',
    8,
    /damaged at "access_token"/,
  ],
  [
    'answers a wrong ref',
    'export default { get: () => ({ accessToken: "a", ref: 3 }), set() {} };',
    8,
    /damaged at "ref"/,
  ],
  [
    'lists nonsense',
    'export default { get() {}, set() {}, list: () => 3, lock: () => 3 };',
    8,
    /lock answered a number/,
  ],
];

for (const [name, text, exit, why] of FAULTS) {
  test(`a module that ${name} ends in a clear error`, async () => {
    await using world = await World.create();
    const file = place(world, 'faulty.mjs', text);
    for (const command of [['call', '/item/123'], ['token'], ['login', '--app']]) {
      const ended = await world.podio([...command, '--session-manager', file]);
      if (command[0] === 'login' && ended.exit === 0) continue;
      fails(ended, exit, why);
      assert.ok(!`${ended.stdout}${ended.stderr}`.includes(TOKEN.slice(0, 12)), 'a token was told');
      assert.doesNotMatch(ended.stderr, /^ +at /m);
    }
  });
}

test('a module that anybody could have written is not run', async () => {
  await using world = await World.create();
  const { file, store } = mine(world);
  chmodSync(file, 0o666);
  fails(
    await world.podio(['login', '--app', '--session-manager', file]),
    8,
    /can be written by everybody/,
    /chmod/,
  );
  assert.ok(!existsSync(store));
});

test('a manager that never answers is given up, and one that never finishes loading', async () => {
  await using world = await World.create();
  const silent = place(world, 'silent.mjs', 'export default { get: () => new Promise(() => {}), set() {} };');
  const endless = place(world, 'endless.mjs', 'await new Promise(() => {}); export default {};');
  const ends = await Promise.all(
    [silent, endless].map((file) =>
      promptly(world, ['call', '/item/123', '--session-manager', file], { seconds: 60 }),
    ),
  );
  fails(ends[0] ?? assert.fail(), 8, /get did not end within 20 s/);
  fails(ends[1] ?? assert.fail(), 8, /did not finish loading within 20 s/);
});

const EXAMPLES = ['toml-session-manager.mjs', 'sqlite-session-manager.mjs'].map((name) =>
  resolve('test/examples', name),
);

test('ten processes with a manager of one’s own renew an expired session once, whether it locks or not', async () => {
  await using world = await World.create();
  for (const manager of [mine(world).file, ...EXAMPLES]) {
    succeeds(await world.run(['login', '--app', '--session-manager', manager]));
    world.sandbox.expireAccessTokens();
    world.sandbox.clearSeen();
    // The renewal is answered once all have met the expired token.
    const hold = world.sandbox.hold(
      { path: '/oauth/token' },
      { match: { path: '/item/123', status: 401 }, count: 10 },
    );
    const calls = Array.from({ length: 10 }, () =>
      world.run(['call', '/item/123', '--silent'], { env: own }),
    );
    for (const ended of await Promise.all(calls)) succeeds(ended);
    hold.release();
    assert.equal(world.sandbox.tokenRequests(), 1, manager);
  }
});

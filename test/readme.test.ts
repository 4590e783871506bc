import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { COMMANDS } from '../src/cli/commands/index.ts';
import { EXIT_CODES } from '../src/cli/exit-codes.ts';
import { SETTINGS } from '../src/cli/setting.ts';
import { TOPICS } from '../src/cli/topics.ts';
import { BIN, outcome, World } from './support/cli.ts';
import { grant } from './support/web-login.ts';

const README = readFileSync('README.md', 'utf8');

function blocks(language: string): string[] {
  return [...README.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(
    ([, code = '']) => code,
  );
}

/** The JavaScript examples: modules that begin with their file's name, and programs. */
const isModule = (block: string) => /^\/\/ [\w.-]+\.mjs\n/.test(block);
const MODULES = blocks('js').filter(isModule);
const PROGRAMS = blocks('js').filter((block) => !isModule(block));

/** A folder in which the library is installed, with the files that the examples name, and `podio` on the PATH. */
async function readersWorld(): Promise<World> {
  const world = await World.create();
  mkdirSync(join(world.home, 'node_modules'));
  symlinkSync(process.cwd(), join(world.home, 'node_modules/podio-cli'));
  for (const block of MODULES) {
    writeFileSync(join(world.home, block.slice(3, block.indexOf('\n'))), block);
  }
  const [app] = world.sandbox.accounts.apps;
  const [user] = world.sandbox.accounts.users;
  const files = {
    'token.txt': `${app?.token}\n`,
    'password.txt': `${user?.password}\n`,
    'item.json': '{"fields":{"title":"Changed"}}',
    'ids.txt': '123\n125\n',
    'photo.jpg': 'no photo',
    'ids-as-calls.txt': 'GET /item/123\nGET /item/125\n',
    // Named where it yields to what an example chooses.
    '.config/podio/config.json': '{"session_manager":"file"}',
    podio: `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`,
  };
  mkdirSync(join(world.home, '.config/podio'), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(world.home, name), text);
  chmodSync(join(world.home, 'podio'), 0o700);
  return world;
}

test('every shell example of the README does what it says, in order', async () => {
  await using world = await readersWorld();
  const { PODIO_APP_ID, PODIO_APP_TOKEN, PODIO_USERNAME, PODIO_PASSWORD, ...env } = world.env({
    PODIO_SESSION_MANAGER: undefined,
  });
  env.PATH = `${world.home}:${env.PATH}`;
  for (const block of blocks('sh')) {
    const child = spawn('sh', ['-eu', '-c', block], {
      env,
      cwd: world.home,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { exit, stderr } = await outcome(child);
    assert.equal(exit, 0, `${block}\n${stderr}`);
    assert.doesNotMatch(stderr, /^podio: (?!No item)/m, block);
  }
});

test('the web application of the README logs a user in, refuses a forged answer, and remembers', async () => {
  await using world = await readersWorld();
  for (const name of ['express', 'express-session'])
    symlinkSync(join(process.cwd(), 'node_modules', name), join(world.home, 'node_modules', name));
  const ADDRESS = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(process.execPath, [join(world.home, 'web-app.mjs')], { env: world.env({ ADDRESS }) });
  await once(child.stdout, 'data');
  const visit = (url: string, cookie = '') => fetch(url, { redirect: 'manual', headers: { cookie } });
  const login = await visit(`${ADDRESS}/login`);
  const cookie = (answer: Response) => answer.headers.getSetCookie()[0]?.split(';')[0];
  const callback = await grant(world, { url: login.headers.get('location') ?? '' });
  assert.equal((await visit(callback.replace(/state=\w/, 'state=x'), cookie(login))).status, 403);
  const back = await visit(callback, cookie(login));
  const home = await visit(`${ADDRESS}/`, cookie(back));
  assert.deepEqual(await home.json(), { mail: 'ada@example.com' });
  child.kill();
  await once(child, 'close');
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('every row of "coming from gh or curl" runs', async () => {
  await using world = await readersWorld();
  const env = { ...world.env(), PATH: `${world.home}:${process.env.PATH}` };
  const table = /### Coming from gh or curl\n(.*?)\n## /s.exec(README)?.[1] ?? '';
  const rows = [...table.matchAll(/^\| .*? \| `(podio.*?)`(?: \(.*\))? \|$/gm)].map(([, line = '']) => line);
  assert.equal(rows.length, table.split('\n| ').length - 3);
  for (const row of rows) {
    const child = spawn('sh', ['-eu', '-c', row.replaceAll('\\|', '|')], { env, cwd: world.home });
    const { exit, stderr } = await outcome(child);
    assert.equal(exit, 0, `${row}\n${stderr}`);
  }
});

test('every JavaScript example of the README runs against the built library', async () => {
  await using world = await readersWorld();
  for (const block of PROGRAMS) {
    const file = join(world.home, 'example.mjs');
    writeFileSync(file, block);
    const { exit, stdout, stderr } = await outcome(spawn(process.execPath, [file], { env: world.env() }));
    assert.equal(exit, 0, `${block}\n${stderr}`);
    assert.notEqual(stdout.trim(), '');
  }
});

test('the locking manager of the README passes what every session manager must', async () => {
  await using world = await readersWorld();
  const file = join(world.home, 'my-manager.test.mjs');
  writeFileSync(file, readFileSync(file, 'utf8').replace("'./my-manager.mjs'", "'./my-locking-manager.mjs'"));
  const { exit, stdout } = await outcome(spawn(process.execPath, ['--test', file], { env: world.env() }));
  assert.equal(exit, 0, stdout);
  assert.match(stdout, /pass 9\b/);
});

test('the README lists the commands, the topics and the exit codes that there are', () => {
  const listed = [...README.matchAll(/^\| `podio ([a-z]+)/gm)].map(([, name]) => name);
  assert.deepEqual(listed.toSorted(), COMMANDS.map(({ name }) => name).toSorted());
  for (const topic of Object.keys(TOPICS)) assert.match(README, new RegExp(`\`${topic}\``));
  for (const { exit, meaning } of EXIT_CODES.filter(({ exit }) => exit < 100)) {
    assert.ok(README.includes(`| ${exit} | ${meaning} |`), `exit code ${exit}`);
  }
  const settings = [...README.matchAll(/^\| `([a-z_]+)` \| ([^|]+) \|/gm)].map(([, key, meaning]) => [
    key,
    meaning,
  ]);
  for (const { key, meaning } of SETTINGS)
    assert.ok(
      settings.some(([name, text]) => name === key && text === meaning),
      `setting ${key}`,
    );
});

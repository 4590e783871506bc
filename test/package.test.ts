import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { outcome, World } from './support/cli.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'podio-package-'));
after(() => rmSync(FOLDER, { recursive: true, force: true }));

// npm passes its settings on to its scripts in variables; a stranger's shell has none of them.
const ENV = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));

function npm(args: readonly string[], cwd = process.cwd()): string {
  return execFileSync('npm', args, { cwd, env: ENV, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function packed(): string {
  const file = npm(['pack', '--ignore-scripts', '--silent', '--pack-destination', FOLDER]).trim();
  return join(FOLDER, file);
}

/** The start file of another Node, brought by npm; this one's where it is the same. */
function nodeOf(version: number): string {
  if (process.version.startsWith(`v${version}.`)) return process.execPath;
  return npm(
    ['exec', '--yes', `--package=node@${version}`, '--', 'node', '-p', 'process.execPath'],
    FOLDER,
  ).trim();
}

const prefix = join(FOLDER, 'global');
const podio = join(prefix, 'bin/podio');

test('the package holds what is needed to run, and nothing else', () => {
  const [{ files }] = JSON.parse(npm(['pack', '--ignore-scripts', '--dry-run', '--json']));
  const names: string[] = files.map(({ path }: { path: string }) => path);
  const documents = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'];
  const others = names.filter((name) => !/^(bin|dist)\//.test(name));
  assert.deepEqual(others.toSorted(), documents);
  assert.ok(!names.some((name) => /\.ts$/.test(name) && !/\.d\.ts$/.test(name)));
});

test('npm i -g installs a podio that works, its install scripts left out too', async () => {
  npm(['install', '--global', '--ignore-scripts', '--prefix', prefix, packed()], FOLDER);
  assert.ok(existsSync(podio));
  await using world = await World.create();
  for (const version of [20, 22, 24]) {
    const node = nodeOf(version);
    const run = (...args: string[]) =>
      outcome(spawn(node, [podio, ...args], { env: world.env(), cwd: world.home }));
    assert.equal((await run('login', '--app')).exit, 0, `login on Node ${version}`);
    const { exit, stdout, stderr } = await run('call', 'GET', '/item/123');
    assert.equal(exit, 0, stderr);
    assert.equal(JSON.parse(stdout).item_id, 123);
    assert.equal(
      (await run('call', '/item/123', '--jq', '.item_id')).stdout,
      '123\n',
      `jq on Node ${version}`,
    );
    assert.equal((await run('logout')).exit, 0);
  }
});

test('what V8 compiled is kept for each command by itself, once it has come to a good end', async () => {
  await using world = await World.create();
  const bundle = join(prefix, 'lib/node_modules/podio-cli/dist/cli/main.cjs');
  const kept = (command: string) => `${bundle}.${process.version}-${process.arch}.${command}`;
  for (const command of ['call', 'token']) rmSync(kept(command), { force: true });
  const run = (...args: string[]) =>
    outcome(spawn(process.execPath, [podio, ...args], { env: world.env(), cwd: world.home }));
  await run('call', '/item/999', '--silent');
  assert.deepEqual([existsSync(kept('call')), existsSync(kept('token'))], [false, false]);
  await run('call', '/item/123');
  assert.deepEqual([existsSync(kept('call')), existsSync(kept('token'))], [true, false]);
  const { mtimeMs } = statSync(kept('call'));
  for (const words of [['/item/123'], ['--help'], ['/item/999']]) await run('call', ...words);
  assert.equal(statSync(kept('call')).mtimeMs, mtimeMs);
});

test('after npm i -g, man podio-call and man podio-exit-codes work', () => {
  const env = { ...ENV, MANPATH: join(prefix, 'share/man'), LC_ALL: 'C.UTF-8' };
  const man = (name: string) => execFileSync('man', [name], { env, encoding: 'utf8' });
  assert.match(man('podio-call'), /podio call \[options\] \[METHOD\] PATH/);
  assert.match(man('podio-exit-codes'), /not found \(404, 410\)/);
});

test('the installed library can be imported and required', async () => {
  const use = "new PodioClient({ clientId: 'a', clientSecret: 'b' }).isAuthenticated().then(console.log)";
  const forms = [
    ['--input-type=module', '-e', `import { PodioClient } from 'podio-cli'; ${use}`],
    ['-e', `const { PodioClient } = require('podio-cli'); ${use}`],
  ];
  for (const form of forms) {
    const child = spawn(process.execPath, form, { cwd: join(prefix, 'lib') });
    const { exit, stdout, stderr } = await outcome(child);
    assert.deepEqual([exit, stdout], [0, 'false\n'], stderr);
  }
});

test('a fresh clone shows the demo', async () => {
  const clone = join(FOLDER, 'clone');
  execFileSync('git', ['clone', '--quiet', process.cwd(), clone], { stdio: 'ignore' });
  npm(['ci', '--prefer-offline'], clone);
  const shown = npm(['run', 'demo'], clone);
  assert.match(shown, /token requests so far: 1\n[\s\S]*token requests so far: 2\n/);
});

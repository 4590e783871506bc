import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { COMMANDS } from '../src/cli/commands/index.ts';
import { EXIT_CODES } from '../src/cli/exit-codes.ts';
import { TOPICS } from '../src/cli/topics.ts';
import { BIN, outcome, World } from './support/cli.ts';

const README = readFileSync('README.md', 'utf8');

function blocks(language: string): string[] {
  return [...README.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(
    ([, code = '']) => code,
  );
}

/** A folder with the files that the examples name, and `podio` on the PATH. */
async function readersWorld(): Promise<World> {
  const world = await World.create();
  const [app] = world.sandbox.accounts.apps;
  const [user] = world.sandbox.accounts.users;
  const files = {
    'token.txt': `${app?.token}\n`,
    'password.txt': `${user?.password}\n`,
    'item.json': '{"fields":{"title":"Changed"}}',
    'ids.txt': '123\n125\n',
    podio: `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(world.home, name), text);
  chmodSync(join(world.home, 'podio'), 0o700);
  return world;
}

test('every shell example of the README does what it says, in order', async () => {
  await using world = await readersWorld();
  const { PODIO_APP_ID, PODIO_APP_TOKEN, PODIO_USERNAME, PODIO_PASSWORD, ...env } = world.env();
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

test('every JavaScript example of the README runs against the built library', async () => {
  await using world = await World.create();
  mkdirSync(join(world.home, 'node_modules'));
  symlinkSync(process.cwd(), join(world.home, 'node_modules/podio-cli'));
  for (const block of blocks('js')) {
    const file = join(world.home, 'example.mjs');
    writeFileSync(file, block);
    const { exit, stdout, stderr } = await outcome(spawn(process.execPath, [file], { env: world.env() }));
    assert.equal(exit, 0, `${block}\n${stderr}`);
    assert.notEqual(stdout.trim(), '');
  }
});

test('the README lists the commands, the topics and the exit codes that there are', () => {
  const listed = [...README.matchAll(/^\| `podio ([a-z]+)/gm)].map(([, name]) => name);
  assert.deepEqual(listed.toSorted(), COMMANDS.map(({ name }) => name).toSorted());
  for (const topic of Object.keys(TOPICS)) assert.match(README, new RegExp(`\`${topic}\``));
  for (const { exit, meaning } of EXIT_CODES.filter(({ exit }) => exit < 100)) {
    assert.ok(README.includes(`| ${exit} | ${meaning} |`), `exit code ${exit}`);
  }
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BIN } from './support/cli.ts';
import { filesHolding, loggedIn, nothingSet } from './support/commands.ts';

test('threat 13: a crash with core dumps switched off, as SECURITY.md says, leaves no secret on the disk', async () => {
  await using world = await loggedIn();
  const before = filesHolding(world.home, world.sandbox.secrets);
  world.sandbox.rule({ path: '/item/123' }, { kind: 'hang' });
  const command = `ulimit -c 0; exec '${process.execPath}' '${BIN}' call /item/123`;
  const child = spawn('sh', ['-c', command], { env: world.env(nothingSet().env), cwd: world.home });
  await world.sandbox.when({ path: '/item/123' });
  child.kill('SIGABRT');
  await new Promise((resolve) => child.once('close', resolve));
  assert.equal(child.signalCode, 'SIGABRT');
  assert.deepEqual(filesHolding(world.home, world.sandbox.secrets), before);
  assert.match(readFileSync('SECURITY.md', 'utf8'), /`ulimit -c 0`/);
});

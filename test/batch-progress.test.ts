import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calls, fileOf } from './support/batches.ts';
import { BIN } from './support/cli.ts';
import { loggedIn, NOTHING_SET } from './support/commands.ts';
import { Terminal } from './support/terminal.ts';

test('on a terminal it tells how far it has come, and is gone before anything else is said', async () => {
  await using world = await loggedIn();
  fileOf(world, calls(30));
  world.sandbox.rule({ path: '/item/*' }, { kind: 'delay', ms: 60 });
  using terminal = new Terminal({ env: world.env(NOTHING_SET), cwd: world.home });
  terminal.type(`'${process.execPath}' '${BIN}' batch calls --concurrency 1 > out; echo "ended $?"`);
  await terminal.shows(/done \d+ of 30 calls \(\d+ %\), \d+ calls\/s, \d+ s left/);
  const screen = await terminal.shows(/ended \d/);
  assert.match(screen, /\nbatch: 30 done, .*\nended 0/);
  assert.doesNotMatch(screen, / left/);
});

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answering } from './support/answering.ts';
import { World } from './support/cli.ts';
import { shell, succeeds } from './support/commands.ts';

// PODIO_TEST_LINES=1000000 PODIO_TEST_LINE=40 tries a million short ones.
const LINES = Number(process.env.PODIO_TEST_LINES ?? 4000);
const LENGTH = Number(process.env.PODIO_TEST_LINE ?? 40_000);
const MOST_MIB = 190;

test(`${LINES} lines of ${LENGTH} bytes, and answers as long, take less than ${MOST_MIB} MiB`, async (t) => {
  await using world = await World.create();
  const long = 'x'.repeat(LENGTH);
  await using server = await answering((request, response) => {
    request.resume().once('end', () => response.end(JSON.stringify(long)));
  });
  const [hook, peak] = [join(world.home, 'hook.cjs'), join(world.home, 'peak')];
  const tell = `fs.writeFileSync(${JSON.stringify(peak)}, fs.readFileSync('/proc/self/status'))`;
  writeFileSync(hook, `const fs = require('fs'); process.on('exit', () => ${tell})`);
  const [file, out] = [join(world.home, 'calls'), join(world.home, 'answers')];
  const line = `${JSON.stringify({ method: 'PUT', path: '/item/1', body: { text: long } })}\n`;
  writeFileSync(file, line.repeat(LINES));
  const env = {
    PODIO_API_URL: server.url,
    PODIO_ACCESS_TOKEN: 'x',
    // Whoever kept a part of each line would need more.
    NODE_OPTIONS: `--max-old-space-size=64 --require ${hook}`,
  };
  succeeds(await shell(world, `podio batch ${file} --concurrency 8 --resume journal > ${out}`, env));
  assert.equal(readFileSync(out, 'latin1').split('\n').length - 1, LINES);
  const taken = Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync(peak, 'utf8'))?.[1]) / 1024;
  t.diagnostic(`${Math.round(taken)} MiB`);
  assert.ok(taken < MOST_MIB, `${taken} MiB`);
});

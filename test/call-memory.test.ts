import assert from 'node:assert/strict';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answering } from './support/answering.ts';
import { World } from './support/cli.ts';
import { succeeds } from './support/commands.ts';

// PODIO_TEST_MIB=1024 tries a gigabyte.
const MIB = Number(process.env.PODIO_TEST_MIB ?? 200);
const LENGTH = MIB * 1024 * 1024;
const MOST_MIB = 120;

/** A server that sends so many bytes, or counts those that it is sent. */
async function heavyServer() {
  const piece = Buffer.alloc(64 * 1024);
  return answering(async (request, response) => {
    response.on('error', () => {});
    let got = 0;
    for await (const chunk of request) got += chunk.length;
    if (request.method !== 'GET') return response.end(JSON.stringify({ got }));
    response.writeHead(200, { 'content-length': LENGTH });
    for (let left = LENGTH; left > 0 && !response.destroyed; left -= piece.length) {
      if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve));
    }
    response.end();
  });
}

/** Runs a command; answers its output, and the most memory that it took, in MiB. */
async function measured(world: World, argv: readonly string[], url: string) {
  const [hook, peak] = [join(world.home, 'hook.cjs'), join(world.home, 'peak')];
  const tell = `fs.writeFileSync(${JSON.stringify(peak)}, fs.readFileSync('/proc/self/status'))`;
  writeFileSync(hook, `const fs = require('fs'); process.on('exit', () => ${tell})`);
  const env = {
    PODIO_API_URL: url,
    PODIO_ACCESS_TOKEN: 'x',
    NODE_OPTIONS: `--require ${hook}`,
  };
  const stdout = succeeds(await world.run(argv, { env }));
  return { stdout, peak: Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync(peak, 'utf8'))?.[1]) / 1024 };
}

test(`a download of ${MIB} MiB takes less than ${MOST_MIB} MiB of memory`, async (t) => {
  await using world = await World.create();
  await using server = await heavyServer();
  const file = join(world.home, 'big');
  const { peak } = await measured(world, ['call', '/big', '-o', file], server.url);
  t.diagnostic(`${Math.round(peak)} MiB`);
  assert.equal(statSync(file).size, LENGTH);
  assert.ok(peak > 20 && peak < MOST_MIB, `${peak} MiB`);
});

for (const option of ['--input', '--form']) {
  test(`an upload of ${MIB} MiB by ${option} takes less than ${MOST_MIB} MiB of memory`, async (t) => {
    await using world = await World.create();
    await using server = await heavyServer();
    const file = join(world.home, 'big');
    writeFileSync(file, '');
    truncateSync(file, LENGTH);
    const value = option === '--form' ? `@${file}` : file;
    const { stdout, peak } = await measured(world, ['call', 'POST', '/file/', option, value], server.url);
    t.diagnostic(`${Math.round(peak)} MiB`);
    const { got } = JSON.parse(stdout);
    assert.ok(got >= LENGTH && got < LENGTH + 1000);
    assert.ok(peak > 20 && peak < MOST_MIB, `${peak} MiB`);
  });
}

test('a hundred thousand items in pages take no more memory than a page', async (t) => {
  await using world = await World.create();
  const text = 'x'.repeat(1500);
  await using server = await answering(({ url = '' }, response) => {
    const [limit = 0, offset = 0] = [...url.matchAll(/=(\d+)/g)].map(([, number]) => Number(number));
    const count = Math.min(limit, Math.max(0, 100_000 - offset));
    response.end(JSON.stringify(Array.from({ length: count }, (_, at) => ({ id: offset + at, text }))));
  });
  const argv = ['call', '/x/?limit=500', '--paginate', '-o', join(world.home, 'all')];
  const { peak } = await measured(world, argv, server.url);
  t.diagnostic(`${Math.round(peak)} MiB`);
  const lines = readFileSync(join(world.home, 'all'), 'utf8').split('\n');
  assert.equal(lines.filter((line) => line.startsWith('{')).length, 100_000);
  assert.ok(peak > 20 && peak < 180, `${peak} MiB`);
});

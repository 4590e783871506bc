import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { answering } from './support/answering.ts';
import { BIN, World } from './support/cli.ts';
import { Terminal } from './support/terminal.ts';

/** Ten megabytes, a tenth of one at a time. */
const slowDownload: RequestListener = (_, response) => {
  let left = 100;
  response.writeHead(200, { 'content-length': 10_000_000 });
  const drip = setInterval(() => (left-- > 0 ? response.write(Buffer.alloc(100_000)) : response.end()), 20);
  response.once('close', () => clearInterval(drip));
};

/** Hears what it is sent piece by piece, and refuses it in the end. */
const slowUpload: RequestListener = async (request, response) => {
  for await (const _ of request) await pause(10);
  response.writeHead(403).end('{"error":"forbidden","error_description":"not you"}');
};

/** 500 items in pages of 100. */
const slowPages: RequestListener = async ({ url = '' }, response) => {
  await pause(300);
  const offset = Number(/offset=(\d+)/.exec(url)?.[1]);
  const items = Array.from({ length: 100 }, (_, at) => ({ id: offset + at }));
  response.end(JSON.stringify({ total: 500, filtered: 500, items }));
};

async function stage(listener: RequestListener) {
  const world = await World.create();
  const server = await answering(listener);
  writeFileSync(join(world.home, 'big'), Buffer.alloc(10_000_000));
  const env = world.env({ PODIO_API_URL: server.url, PODIO_ACCESS_TOKEN: 'x', LANG: 'C.UTF-8' });
  const type = (terminal: Terminal, words: string) =>
    terminal.type(`'${process.execPath}' '${BIN}' call ${words}; echo "ended $?"`);
  const close = async () => {
    await server[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  };
  return { world, env, type, [Symbol.asyncDispose]: close };
}

const LINES: readonly (readonly [
  what: string,
  listener: RequestListener,
  words: string,
  line: RegExp,
  left: RegExp,
])[] = [
  [
    'a download',
    slowDownload,
    '/x -o new',
    /received \d.* of 10\.0 MB \(\d+ %\), .*\/s, \d+ s left/,
    /\n *ended 0/,
  ],
  [
    'an upload',
    slowUpload,
    'POST /x --input big',
    /sending \d.* of 10\.0 MB \(\d+ %\), .*\/s, \d+ s left/,
    /big; echo .*\n\{\n(?: .*\n)+\}\npodio: not you/,
  ],
  [
    'paging',
    slowPages,
    '/x --paginate -o new',
    /read \d+ of 500 items \(\d+ %\), .*\/s, \d+ s left/,
    /\n *ended 0/,
  ],
];

for (const [what, listener, words, line, left] of LINES) {
  test(`on a terminal ${what} tells how far it is, and takes that away before it says anything else`, async () => {
    await using here = await stage(listener);
    using terminal = new Terminal({ env: here.env, cwd: here.world.home });
    here.type(terminal, words);
    await terminal.shows(line);
    const end = await terminal.shows(/ended \d/);
    assert.doesNotMatch(end, /received|sending|items/);
    assert.match(end, left);
  });

  test(`in a pipe ${what} does not tell how far it is`, async () => {
    await using here = await stage(listener);
    const { exit, stderr } = await here.world.run(
      ['call', ...words.replace(/\b(big|new)\b/, join(here.world.home, '$1')).split(' ')],
      { env: here.env },
    );
    assert.ok([0, 4].includes(exit));
    assert.doesNotMatch(stderr, /received|sending|items/);
  });
}

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answering } from './support/answering.ts';
import { fails, loggedIn, nothingSet, succeeds } from './support/commands.ts';

const FILTER = ['call', 'POST', '/item/app/123456/filter/', '--paginate'];
const LONG = '12345678901234567890';

/** A list of so many items, of which at most `cap` come at once; how often it was asked is counted. */
async function listServer(length: number, { cap = 1000, wrong = '' } = {}) {
  const asked: string[] = [];
  const server = await answering(({ url = '' }, response) => {
    asked.push(url);
    const query = new URL(url, 'http://x').searchParams;
    const [limit, offset] = [Math.min(Number(query.get('limit')), cap), Number(query.get('offset'))];
    const [from, count] = wrong === 'ignores' ? [0, length] : [wrong === 'same' ? 0 : offset, limit];
    const items = Array.from({ length: Math.max(0, Math.min(count, length - from)) }, (_, at) => from + at);
    // What would go on for ever is a failure, not a test without end.
    if (asked.length > 50) response.writeHead(500).end('{"error":"asked too often"}');
    else if (asked.length === 3 && wrong === 'breaks') response.writeHead(500).end('{"error":"broken"}');
    else response.end(`[${items.map((id) => `{"id": ${id}, "big": ${LONG}}`).join(', ')}]`);
  });
  const options = nothingSet({ PODIO_API_URL: server.url, PODIO_ACCESS_TOKEN: 'x' });
  return { asked, options, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

test('--paginate brings all items of a filter as one array, in as few calls as the API allows', async () => {
  await using world = await loggedIn();
  const items = JSON.parse(succeeds(await world.podio(FILTER)));
  const { total } = JSON.parse(succeeds(await world.podio(FILTER.slice(0, 3).concat('-d', '{}'))));
  assert.deepEqual(
    [items.length, new Set(items.map((item: { item_id: number }) => item.item_id)).size],
    [total, total],
  );
  assert.deepEqual(JSON.parse(world.sandbox.seen[0]?.body ?? ''), { limit: 500, offset: 0 });
});

test('the body’s own limit is the size of a page, and what else it holds goes with each', async () => {
  await using world = await loggedIn();
  const body = `{"sort_by":"title", "limit":50, "offset":10,"x":${LONG}}`;
  const items = JSON.parse(succeeds(await world.podio([...FILTER, '-d', body, '--limit', '70'])));
  assert.equal(items.length, 70);
  assert.deepEqual(
    world.sandbox.seen.map((request) => request.body),
    [
      `{"sort_by":"title","x":${LONG},"limit":50,"offset":10}`,
      `{"sort_by":"title","x":${LONG},"limit":20,"offset":60}`,
    ],
  );
});

test('a bare array is read to its end, whatever the API makes of the page size', async () => {
  await using world = await loggedIn();
  for (const [length, cap, calls] of [
    [0, 1000, 1],
    [5, 1000, 2],
    [250, 1000, 3],
    [50, 20, 3],
    [40, 20, 3],
  ] as const) {
    await using list = await listServer(length, { cap });
    const text = succeeds(await world.podio(['call', '/x/?a=1', '--paginate'], list.options));
    assert.deepEqual([JSON.parse(text).length, list.asked.length], [length, calls], `${length}, ${cap}`);
    assert.equal(text.split(LONG).length - 1, length);
    assert.ok(list.asked.every((url) => url.startsWith('/x/?a=1&limit=')));
  }
});

test('an API that knows no pages, or brings the same one for ever, ends it', async () => {
  await using world = await loggedIn();
  for (const [wrong, length] of [
    ['ignores', 7],
    ['ignores', 700],
    ['same', 300],
  ] as const) {
    await using list = await listServer(length, { wrong });
    const items = JSON.parse(succeeds(await world.podio(['call', '/x/', '--paginate'], list.options)));
    assert.ok(list.asked.length <= 2);
    assert.equal(items.length, wrong === 'same' ? 100 : Math.min(length, 100));
  }
});

test('a page that fails leaves what was printed valid, and the exit code tells', async () => {
  await using world = await loggedIn();
  await using list = await listServer(1000, { wrong: 'breaks' });
  const broken = await world.podio(['call', '/x/', '--paginate'], list.options);
  fails(broken, 5, /HTTP 500/);
  assert.equal(JSON.parse(broken.stdout).length, 200);
  const first = await world.podio(['call', '/item/9', '--paginate']);
  fails(first, 9, /not_found/);
  assert.equal(JSON.parse(first.stdout).error, 'not_found');
  await using other = await listServer(1000, { wrong: 'breaks' });
  fails(
    await world.podio(['call', '/x/', '--paginate', '-o', join(world.home, 'f')], other.options),
    5,
    /500/,
  );
  assert.throws(() => readFileSync(join(world.home, 'f')));
});

test('--ndjson prints an item a line, --jq what it makes of each page, -o writes either to a file', async () => {
  await using world = await loggedIn();
  await using list = await listServer(150);
  const run = (...more: string[]) => world.podio(['call', '/x/', '--paginate', ...more], list.options);
  const lines = succeeds(await run('--ndjson', '--limit', '120'))
    .trimEnd()
    .split('\n');
  assert.deepEqual([lines.length, lines[119]], [120, `{"id":119,"big":${LONG}}`]);
  assert.equal(succeeds(await run('--jq', 'length')), '100\n50\n');
  const file = join(world.home, 'all.json');
  succeeds(await run('-o', file));
  assert.equal(JSON.parse(readFileSync(file, 'utf8')).length, 150);
});

test('what has no pages is refused, before it is sent where that can be known', async () => {
  await using world = await loggedIn();
  fails(await world.podio(['call', 'PUT', '/item/123', '-d', '{}', '--paginate']), 2, /--paginate goes with/);
  fails(await world.podio([...FILTER, '-d', '[]']), 2, /JSON object/);
  fails(
    await world.podio(['call', '/x', '-F', 'limit=many', '--paginate']),
    2,
    /limit is not a whole number/,
  );
  assert.deepEqual(world.sandbox.seen, []);
  fails(await world.podio(['call', '/item/123', '--paginate']), 5, /no list/);
});

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { answering } from './support/answering.ts';
import { type RunOptions, World } from './support/cli.ts';
import { loggedIn, treeOf } from './support/commands.ts';
import { RawServer } from './support/raw-server.ts';

const ESC = '\u001b';

/** What steers a terminal, one by one: controls, and sequences that are known to do harm. */
const SEQUENCES = [
  ...Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)),
  ...Array.from({ length: 33 }, (_, code) => String.fromCharCode(127 + code)),
  ...['[31m', '[2J', '[H', '[6n', '[5i', '[?1049h', '[20t', ']0;title\u0007', 'c', '(0', '7', '#8'].map(
    (s) => ESC + s,
  ),
  `${ESC}]8;;https://evil.example/${ESC}\\a link${ESC}]8;;${ESC}\\`,
  `${ESC}]52;c;ZXZpbA==\u0007`,
  `${ESC}P$qm${ESC}\\`,
  `${ESC}_payload${ESC}\\`,
  `${ESC}^payload${ESC}\\`,
  `${ESC}Xpayload${ESC}\\`,
  '\u009b31m',
  '\u009d0;title\u009c',
  '\u0090payload\u009c',
  '\r\u001b[Kpodio: all is well',
  ...[
    '\u202a',
    '\u202b',
    '\u202d',
    '\u202e',
    '\u2066',
    '\u2067',
    '\u2068',
    '\u2069',
    '\u200e',
    '\u200f',
    '\u061c',
  ],
  ...['\u200b', '\u200c', '\u200d', '\u2060', '\u2028', '\u2029', '\ufeff'],
];

const EVIL = SEQUENCES.join('.');

// Line ends and tabs do no harm; a carriage return may stand before a line end, as it does in the answer's head.
const STEERING = /(?!\t|\r?\n)[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;

function harmless(text: string, what: string): void {
  const bad = STEERING.exec(text)?.[0];
  const code = bad?.charCodeAt(0).toString(16);
  assert.equal(bad, undefined, `${what}: U+${code} in ${JSON.stringify(text.slice(0, 300))}`);
}

/** Runs a command whose output is a terminal; answers all that the terminal gets. */
async function onTerminal(world: World, words: readonly string[], options: RunOptions = {}): Promise<string> {
  const parts: Buffer[] = [];
  const stdout = Object.assign(new PassThrough(), { isTTY: true });
  stdout.on('data', (part) => parts.push(part));
  const { stderr } = await world.podio([...words, '--color', 'never'], {
    ...options,
    io: { stdout },
  });
  return Buffer.concat(parts).toString() + stderr;
}

const ENVELOPE = {
  error: EVIL,
  error_description: EVIL,
  error_detail: EVIL,
  error_parameters: { [EVIL]: EVIL },
  request: { url: EVIL },
};

for (const status of [200, 400, 401, 404, 420, 500]) {
  test(`threat 14: an answer with ${status} cannot steer the terminal, in whatever command and field`, async () => {
    await using world = await loggedIn();
    for (const body of [JSON.stringify({ [EVIL]: [EVIL] }), JSON.stringify(ENVELOPE), EVIL, `"${EVIL}`]) {
      world.sandbox.clearRules();
      world.sandbox.rule({ path: '/oauth/token' }, { kind: 'fail', status, body });
      world.sandbox.rule({ path: '/oauth/*' }, { kind: 'fail', status, body });
      world.sandbox.rule({ path: '/item/123' }, { kind: 'fail', status, body });
      for (const words of [
        ['call', '/item/123'],
        ['call', '/item/123', '-v', '-i'],
        ['call', '/item/123', '--json'],
        ['login', '--app'],
        ['login', '--password', '--json'],
        ['refresh'],
        ['status'],
        ['status', '--json'],
      ]) {
        const shown = await onTerminal(world, words);
        assert.ok(shown !== '', words.join(' '));
        harmless(shown, words.join(' '));
      }
    }
  });
}

test('threat 14: no head of an answer can steer the terminal', async () => {
  await using world = await World.create();
  const bytes = Array.from({ length: 128 }, (_, code) => String.fromCharCode(128 + code)).join('');
  const head = (status: number) => [
    `HTTP/1.1 ${status} ${bytes}`,
    `x-podio-request-id: ${bytes}`,
    `x-${'name'}: \t${bytes}`,
    'Content-Length: 0',
  ];
  for (const status of [200, 404]) {
    const answered = `${head(status).join('\r\n')}\r\n\r\n`;
    await using api = await RawServer.start((socket) => socket.end(answered, 'latin1'));
    const env = { PODIO_API_URL: api.url, PODIO_ACCESS_TOKEN: 'token' };
    const shown = await onTerminal(world, ['call', '/x', '-i'], { env });
    assert.match(shown, /x-name: .*\\u009b/);
    harmless(shown, `${status}`);
  }
});

test('threat 14: errors in JSON are as harmless, and mean the same', async () => {
  await using world = await loggedIn();
  const body = { error: 'e', error_description: EVIL };
  for (const path of ['/x', '/oauth/token'])
    world.sandbox.rule({ path }, { kind: 'fail', status: 500, body });
  const { stderr } = await world.podio(['login', '--app', '--json']);
  harmless(stderr, 'stderr');
  assert.ok(JSON.parse(stderr).message.startsWith(`${EVIL} (HTTP 500, e`));
  // What is no terminal gets the body as it came: programs read it.
  const { stdout } = await world.podio(['call', '/x']);
  assert.equal(JSON.parse(stdout).error_description, EVIL);
});

test('threat 14: what a token endpoint gives with the tokens cannot steer the terminal either', async () => {
  await using world = await World.create();
  for (const evil of [EVIL, ...SEQUENCES]) {
    await using source = await answering((_, response) => {
      const tokens = { access_token: `a${evil}`, refresh_token: 'r', expires_in: 9, scope: evil };
      response.end(JSON.stringify({ ...tokens, ref: { type: evil, id: 1 }, server_nonce: evil }));
    });
    const env = { PODIO_API_URL: source.url };
    for (const words of [['login', '--app'], ['token'], ['status', '--offline']])
      harmless(await onTerminal(world, words, { env }), words.join(' '));
  }
  assert.deepEqual(
    Object.keys(treeOf(world.home)).filter((name) => name.includes('/sessions/')),
    [],
  );
});

import assert from 'node:assert/strict';
import { Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import { isColorful } from '../src/cli/color.ts';
import { nest, splitField, typedValue } from '../src/cli/fields.ts';
import { OutputClosed, pass, prettyJson, visible, visibleLines, write } from '../src/cli/output.ts';
import { inWords } from '../src/cli/time.ts';
import { Failure, UsageError } from '../src/errors.ts';

test('characters that steer a terminal or hide in a line are made visible, all others are left alone', () => {
  assert.equal(visible('a\tb\nc\rd'), 'a\\tb\\nc\\rd');
  assert.equal(
    visible('\u0000\u0007\u001b[31m\u007f\u0085\u009b'),
    '\\u0000\\u0007\\u001b[31m\\u007f\\u0085\\u009b',
  );
  assert.equal(visible('\u202egnp\u2066\u200b\ufeff'), '\\u202egnp\\u2066\\u200b\\ufeff');
  assert.equal(visible('Grüße 密码 👍 “x” – \u00a0'), 'Grüße 密码 👍 “x” – \u00a0');
  assert.equal(visibleLines('a\tb\nc\rd\u001b'), 'a\tb\nc\\rd\\u001b');
});

test('JSON is indented, and its strings cannot steer the terminal', () => {
  assert.equal(
    prettyJson('{"a":[1,{"b":null}]}', false),
    '{\n  "a": [\n    1,\n    {\n      "b": null\n    }\n  ]\n}',
  );
  assert.equal(prettyJson('"\\u001b[2J\u009b\u202e"', false), '"\\u001b[2J\\u009b\\u202e"');
  assert.equal(prettyJson('no JSON', true), undefined);
  assert.equal(prettyJson('', false), undefined);
});

test('names, texts, numbers and words are told apart by colour', () => {
  const [blue, green, yellow, off] = ['\u001b[34m', '\u001b[32m', '\u001b[33m', '\u001b[0m'];
  assert.equal(prettyJson('"a: \\"1"', true), `${green}"a: \\"1"${off}`);
  assert.equal(
    prettyJson('{"k":"v","n":-1.5e3,"t":true}', true),
    `{\n  ${blue}"k"${off}: ${green}"v"${off},\n  ${blue}"n"${off}: ${yellow}-1.5e3${off},\n  ${blue}"t"${off}: ${yellow}true${off}\n}`,
  );
});

const COLOURS: readonly (readonly [
  color: 'auto' | 'always' | 'never',
  env: object,
  isTTY: boolean,
  colourful: boolean,
])[] = [
  ['auto', {}, true, true],
  ['auto', {}, false, false],
  ['auto', { TERM: 'dumb' }, true, false],
  ['auto', { NO_COLOR: '1' }, true, false],
  ['auto', { NO_COLOR: '' }, true, true],
  ['auto', { FORCE_COLOR: '1' }, false, true],
  ['auto', { FORCE_COLOR: '0' }, false, false],
  ['auto', { CLICOLOR_FORCE: '1' }, false, true],
  ['auto', { NO_COLOR: '1', FORCE_COLOR: '1' }, false, false],
  ['always', { NO_COLOR: '1' }, false, true],
  ['never', { FORCE_COLOR: '1' }, true, false],
];

for (const [color, env, isTTY, colourful] of COLOURS) {
  const where = isTTY ? 'a terminal' : 'a pipe';
  test(`--color ${color} with ${JSON.stringify(env)} on ${where} is ${colourful ? 'colour' : 'no colour'}`, () => {
    const stdout = Object.assign(new Writable(), { isTTY });
    assert.equal(isColorful(color, { env: { ...env }, stdout }), colourful);
  });
}

function failing(code: string): Writable {
  const stream = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })),
  });
  return stream.on('error', () => {});
}

test('a reader that has gone is told apart from a disk that is full', async () => {
  await assert.rejects(write(failing('EPIPE'), 'x'), OutputClosed);
  await assert.rejects(write(failing('ENOSPC'), 'x'), (error: unknown) => {
    assert.ok(error instanceof Failure && !(error instanceof OutputClosed));
    return /ENOSPC/.test(error.message);
  });
});

test('a stream is passed on no faster than it is read', async () => {
  let [given, taken] = [0, 0];
  const source = new Readable({
    highWaterMark: 1,
    read() {
      this.push(given++ < 50 ? 'x' : null);
    },
  });
  const stdout = new Writable({
    highWaterMark: 1,
    write: (chunk: Buffer, _encoding, done) => {
      taken += chunk.length;
      assert.ok(given - taken <= 3, `${given} read and ${taken} written`);
      setImmediate(done);
    },
  });
  await pass(source, { stdout });
  assert.equal(taken, 50);
});

test('a typed value is what it looks like, and text otherwise', () => {
  const typed: readonly (readonly [text: string, value: unknown])[] = [
    ['true', true],
    ['false', false],
    ['null', null],
    ['0', 0],
    ['-1.5', -1.5],
    ['1e3', 1000],
    ['9007199254740991', 9007199254740991],
    ['[1,[2]]', [1, [2]]],
    ['{"a":{}}', { a: {} }],
    ['', ''],
    ['True', 'True'],
    ['007', '007'],
    ['+1', '+1'],
    ['1.', '1.'],
    ['0x10', '0x10'],
    ['Infinity', 'Infinity'],
    [' 1', ' 1'],
    ['"quoted"', '"quoted"'],
    ['2026-01-01', '2026-01-01'],
  ];
  for (const [text, value] of typed) assert.deepEqual(typedValue('k', text), value, text);
  for (const text of ['9007199254740992', '1e999', '[1', '{a:1}']) {
    assert.throws(() => typedValue('k', text), UsageError, text);
  }
});

function nested(...fields: string[]): unknown {
  return JSON.parse(
    JSON.stringify(
      nest(fields.map((field) => splitField(field, '-f')).map(([name, value]) => ({ name, value }))),
    ),
  );
}

test('fields nest as their names say', () => {
  assert.deepEqual(nested('a=1', 'b[c]=2', 'b[d][e]=3'), { a: '1', b: { c: '2', d: { e: '3' } } });
  assert.deepEqual(nested('a[]=1', 'a[]=2'), { a: ['1', '2'] });
  assert.deepEqual(nested('a[][x]=1', 'a[][y]=2', 'a[][x]=3'), { a: [{ x: '1', y: '2' }, { x: '3' }] });
  assert.deepEqual(nested('a[][]=1', 'a[][]=2'), { a: [['1'], ['2']] });
  assert.deepEqual(nested('a=b=c', 'ü[ö]= '), { a: 'b=c', ü: { ö: ' ' } });
  assert.equal(JSON.stringify(nest([{ name: '__proto__[x]', value: 1 }])), '{"__proto__":{"x":1}}');
  assert.equal(Object.hasOwn(Object.prototype, 'x'), false);
});

test('names that are none, and fields that contradict each other, are refused', () => {
  for (const name of ['[]=1', '[a]=1', 'a[=1', 'a]=1', 'a[b=1', 'a[b]c=1', 'a[[b]]=1']) {
    assert.throws(() => nested(name), UsageError, name);
  }
  for (const pair of [
    ['a=1', 'a=2'],
    ['a=1', 'a[b]=2'],
    ['a[b]=1', 'a[]=2'],
    ['a[]=1', 'a=2'],
    ['a[b]=1', 'a[b][c]=2'],
  ]) {
    assert.throws(() => nested(...pair), /contradicts/, pair.join(' '));
  }
});

test('a time is told as people say it', () => {
  const now = Date.parse('2026-01-01T00:00:00.000Z');
  const said = (ms: number) => inWords(new Date(now + ms).toISOString(), now).replace(/^\S+ /, '');
  assert.deepEqual([0, 1000, 90_000, 3_600_000, 7_500_000, 86_400_000 * 28, -1000, -172_800_000].map(said), [
    '(in 0 seconds)',
    '(in 1 second)',
    '(in 2 minutes)',
    '(in 1 hour)',
    '(in 2 hours)',
    '(in 28 days)',
    '(1 second ago)',
    '(2 days ago)',
  ]);
});

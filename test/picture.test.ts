import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { pictureOf, recordDemo, steady } from '../.build/demo-picture.ts';

const PICTURE = readFileSync('docs/demo.svg', 'utf8');

test('the picture in the README shows what the demo prints today; npm run picture draws it again', () => {
  assert.equal(PICTURE, pictureOf(recordDemo()));
  assert.match(readFileSync('README.md', 'utf8'), /\]\(docs\/demo\.svg\)/);
});

test('nothing in the picture is of one run alone, and nothing in it is fetched from elsewhere', () => {
  const text =
    'until 2026-11-24T08:08:28.702Z (in 7 hours) in /tmp/tmp.hzLo/app-123456-419227bd66db77cff8ca1760 at 127.0.0.1:33889';
  assert.equal(steady(text), 'until 18:00 (in 8 hours) in ~/app-123456-… at 127.0.0.1:4000');
  assert.doesNotMatch(PICTURE, /\d{4}-\d\d-\d\d|\/tmp\/|[0-9a-f]{24}/);
  assert.deepEqual([...PICTURE.matchAll(/https?:[^"'<\s]*/g)].map(String), [
    'http://www.w3.org/2000/svg',
    'http://127.0.0.1:4000',
  ]);
  assert.doesNotMatch(PICTURE, /<script|<image|@import|url\(/);
});

test('the picture is light and dark, and still for those who want it still', () => {
  for (const part of ['prefers-color-scheme: dark', 'prefers-reduced-motion: no-preference', '<title'])
    assert.ok(PICTURE.includes(part));
});

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { manName, manPage } from '../.build/roff.ts';
import { COMMANDS } from '../src/cli/commands/index.ts';
import { allPages, exitRows } from '../src/cli/commands/manual.ts';
import type { Block } from '../src/cli/page.ts';
import { VERSION } from '../src/values/version.ts';

const PAGES = await allPages(COMMANDS);
const OTHERS = PAGES.map((page) => manName(page)).map(([name, section]) => `${name}(${section})`);
const FILES = PAGES.map((page) => `${manName(page).join('.')}`);

/** A man page as the real man shows it, its lines long enough to stay whole. */
function shown(file: string): string {
  const env = { ...process.env, MANWIDTH: '400', MAN_KEEP_FORMATTING: '', LC_ALL: 'C.UTF-8' };
  return execFileSync('man', ['-l', '-E', 'UTF-8', file], { env, encoding: 'utf8' }).replaceAll(' ', ' ');
}

/** The words of a text, without what wrapping, justifying and indenting do to it. */
function bare(text: string): string {
  return text
    .replace(/[‐-]\n\s*/g, '-')
    .replace(/[‘’]/g, "'")
    .replaceAll('…', '...')
    .replace(/\s+/g, ' ');
}

test('there is a man page for each page of help, made of it, and the package names each', () => {
  assert.deepEqual(readdirSync('dist/man').toSorted(), FILES.toSorted());
  const { man } = JSON.parse(readFileSync('package.json', 'utf8'));
  assert.deepEqual(man, FILES.map((file) => `./dist/man/${file}`).toSorted());
  for (const page of PAGES) {
    const built = readFileSync(join('dist/man', manName(page).join('.')), 'utf8');
    assert.equal(built, manPage(page, { version: VERSION, exits: exitRows(), others: OTHERS }));
  }
});

test('the real man shows all that help tells, examples sign by sign', () => {
  for (const page of PAGES) {
    const man = shown(join('dist/man', manName(page).join('.')));
    const missing = page.sections.flatMap(({ blocks }) => blocks.flatMap((block) => missingIn(man, block)));
    assert.deepEqual(missing, [], `${page.name}\n${man}`);
  }
});

function missingIn(man: string, block: Block): string[] {
  if (block.kind === 'code') return block.lines.filter((line) => !man.includes(line.replaceAll('…', '...')));
  const terms =
    block.kind === 'rows' ? block.rows.flatMap(({ term, text }) => [term.trim(), text]) : [block.text];
  return terms.filter((text) => !bare(man).includes(bare(text)));
}

test('commands tell how they can end, and every page leads to the others', () => {
  const man = shown('dist/man/podio-call.1');
  for (const { term, text } of exitRows())
    assert.match(man, new RegExp(`^ +${term} +${text.replace(/[()^]/g, '.')}$`, 'm'));
  assert.match(man, /podio-login\(1\)/);
  assert.match(man, /podio-exit-codes\(7\)/);
  assert.match(man, new RegExp(`podio ${VERSION.replaceAll('.', '\\.')}`));
});

test('groff finds nothing to warn of in any man page, nor does mandoc where it is', () => {
  const hasMandoc = spawnSync('mandoc', ['-V']).error === undefined;
  for (const file of FILES) {
    for (const device of ['-Tutf8', '-Tascii']) {
      const { status, stderr } = spawnSync('groff', ['-man', device, '-ww', '-z', join('dist/man', file)]);
      assert.deepEqual([status, String(stderr)], [0, ''], file);
    }
    if (hasMandoc) execFileSync('mandoc', ['-Tlint', '-Wwarning', join('dist/man', file)]);
  }
});

test('signs that mean something to man are shown as they are', () => {
  const text = `.SH no heading\n'tis \\fBnot\\fP bold -- ^~\`"x"`;
  const page = {
    name: 'x',
    kind: 'topic',
    summary: 'a \\ b',
    usage: '',
    sections: [{ title: '', blocks: [{ kind: 'code', lines: text.split('\n') }] }],
  } as const;
  const folder = mkdtempSync(join(tmpdir(), 'podio-man-'));
  const file = join(folder, 'x.7');
  writeFileSync(file, manPage(page, { version: VERSION, exits: [], others: [] }));
  const man = shown(file);
  for (const line of text.split('\n')) assert.ok(man.includes(line), `${line}\n${man}`);
  assert.ok(man.includes('a \\ b'));
  // Some systems would show a bare "-" as a hyphen, which no shell understands.
  assert.ok(readFileSync(file, 'utf8').includes('bold \\-\\- \\(ha'));
  rmSync(folder, { recursive: true });
});

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { completionTable } from '../src/cli/commands/completion-table.ts';
import { COMMANDS } from '../src/cli/commands/index.ts';
import { allPages, exitRows } from '../src/cli/commands/manual.ts';
import { VERSION } from '../src/values/version.ts';
import { manName, manPage } from './roff.ts';

// What is made of the commands' own declarations: the man pages, and the table of completion.
const pages = await allPages(COMMANDS);
const others = pages.map((page) => manName(page)).map(([name, section]) => `${name}(${section})`);

mkdirSync('dist/man', { recursive: true });
for (const page of pages) {
  const text = manPage(page, { version: VERSION, exits: exitRows(), others });
  writeFileSync(`dist/man/${manName(page).join('.')}`, text);
}

writeFileSync('dist/complete/table.json', JSON.stringify(await completionTable(COMMANDS)));

// npm links the man pages that package.json names, one by one.
const before = readFileSync('package.json', 'utf8');
const man = pages.map((page) => `./dist/man/${manName(page).join('.')}`).sort();
const after = `${JSON.stringify({ ...JSON.parse(before), man }, undefined, 2)}\n`;
if (after !== before) writeFileSync('package.json', after);

import { mkdirSync, writeFileSync } from 'node:fs';
import { completionTable } from '../src/cli/commands/completion-table.ts';
import { COMMANDS } from '../src/cli/commands/index.ts';

// What is made of the commands' own declarations: the table of completion, and the man pages.
mkdirSync('dist/man', { recursive: true });
writeFileSync('dist/complete/table.json', JSON.stringify(await completionTable(COMMANDS)));

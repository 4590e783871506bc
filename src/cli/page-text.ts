import { Help } from 'commander';
import type { Block, Page, Row, Section } from './page.ts';

/** How a page is to be printed. */
export interface Print {
  /** Columns of the terminal. */
  readonly width: number;
  /** Whether headings may be bold. */
  readonly color: boolean;
}

const WIDEST = 120;
const WIDEST_TERM = 34;
/** A terminal narrower than this has no room for two columns. */
const TWO_COLUMNS = 64;

const help = Object.assign(new Help(), { minWidthToWrap: 1 });

/** The page as text: prose wrapped to the width, examples left as they are. Ends with a line end. */
export function printPage(page: Page, { width, color }: Print): string {
  const print = { width: Math.min(width, WIDEST), color };
  const head = [wrapped(`${sentence(page.summary)}`, print.width)];
  if (page.usage !== '') head.push(`${heading('Usage:', print)} ${page.usage}`);
  return `${[...head, ...page.sections.map((section) => printSection(section, print))].join('\n\n')}\n`;
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}${/[.!?]$/.test(summary) ? '' : '.'}`;
}

function printSection({ title, blocks }: Section, print: Print): string {
  const text = blocks.map((block, at) => (at > 0 ? gap(blocks[at - 1]) : '') + printBlock(block, print));
  return (title === '' ? '' : `${heading(`${title}:`, print)}\n`) + text.join('');
}

// What a sentence announces stands right below it.
function gap(before: Block | undefined): string {
  return before?.kind === 'text' && before.text.endsWith(':') ? '\n' : '\n\n';
}

function heading(text: string, { color }: Print): string {
  return color ? `\u001b[1m${text}\u001b[0m` : text;
}

function printBlock(block: Block, { width }: Print): string {
  if (block.kind === 'text') return wrapped(block.text, width);
  return indented(block.kind === 'code' ? block.lines.join('\n') : printRows(block.rows, width - 2), 2);
}

function printRows(rows: readonly Row[], width: number): string {
  const longest = Math.max(...rows.map(({ term }) => term.length));
  const column = width < TWO_COLUMNS ? 4 : Math.min(longest, WIDEST_TERM) + 2;
  return rows.map((row) => printRow(row, column, width)).join('\n');
}

// A term that is too long for its column has a line of its own.
function printRow({ term, text }: Row, column: number, width: number): string {
  const meaning = indented(wrapped(text, width - column), column);
  if (term.trimStart().length + 2 > column) return `${term.trimStart()}\n${meaning}`;
  return term.padEnd(column) + meaning.trimStart();
}

function wrapped(text: string, width: number): string {
  return help.boxWrap(text, Math.max(width, 10));
}

function indented(text: string, by: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(by));
}

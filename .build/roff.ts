import type { Block, Page, Row, Section } from '../src/cli/page.ts';

/** What a man page says beside its page of help. */
export interface Manual {
  readonly version: string;
  /** How a command can end. */
  readonly exits: readonly Row[];
  /** The names of the other pages, with their sections: `podio-call(1)`. */
  readonly others: readonly string[];
}

/** The name of a page's man page, and its section: commands are in 1, topics in 7. */
export function manName({
  name,
  kind,
}: Pick<Page, 'name' | 'kind'>): readonly [name: string, section: 1 | 7] {
  return [name === '' ? 'podio' : `podio-${name}`, kind === 'topic' ? 7 : 1];
}

/** The page in man's own language (man(7)). */
export function manPage(page: Page, { version, exits, others }: Manual): string {
  const [name, section] = manName(page);
  const parts = [
    `.TH ${name.toUpperCase()} ${section} "" "podio ${version}" "podio"`,
    // A variable's name that is broken at the end of a line cannot be found, nor copied.
    '.nh',
    `.SH NAME\n${name} \\- ${escaped(page.summary.replace(/\.$/, ''))}`,
    page.usage === '' ? '' : `.SH SYNOPSIS\n${escaped(page.usage)}`,
    ...page.sections.map(inSection),
    page.kind === 'topic' ? '' : `.SH EXIT STATUS\n${inBlock({ kind: 'rows', rows: exits })}`,
    `.SH SEE ALSO\n${others
      .filter((other) => other !== `${name}(${section})`)
      .map(escaped)
      .join(',\n')}`,
  ];
  return `${parts.filter((part) => part !== '').join('\n')}\n`;
}

function inSection({ title, blocks }: Section): string {
  return `.SH ${(title || 'DESCRIPTION').toUpperCase()}\n${blocks.map(inBlock).join('\n')}`;
}

function inBlock(block: Block): string {
  if (block.kind === 'text') return `.PP\n${escaped(block.text)}`;
  if (block.kind === 'code') return `.PP\n.RS 4\n.nf\n${block.lines.map(escaped).join('\n')}\n.fi\n.RE`;
  return block.rows.map(({ term, text }) => `.TP\n.B ${escaped(term.trim())}\n${escaped(text)}`).join('\n');
}

// A full stop or an apostrophe at the beginning of a line would be a request, "-" alone a hyphen, "^" an accent.
function escaped(text: string): string {
  // Where man may show nothing but ASCII, an ellipsis would be missing.
  return text
    .replaceAll('…', '...')
    .replace(/[\\\-'^~`]/g, (sign) => SIGNS[sign] ?? sign)
    .replace(/^(?=\.)/gm, '\\&')
    .replace(
      /[^\n -~]/gu,
      (sign) => `\\[u${sign.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}]`,
    );
}

const SIGNS: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '^': '\\(ha',
  '~': '\\(ti',
  '`': '\\(ga',
};

/** A term and what it means: an option, a command, a variable. */
export interface Row {
  readonly term: string;
  readonly text: string;
}

/** A piece of a page: prose that is wrapped, lines that are not, or terms with their meaning. */
export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly lines: readonly string[] }
  | { readonly kind: 'rows'; readonly rows: readonly Row[] };

/** Blocks under a heading. */
export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** A page of the manual: help prints it on the terminal, the build as a man page. */
export interface Page {
  /** What follows `podio help`; empty for the program itself. */
  readonly name: string;
  readonly kind: 'program' | 'command' | 'topic';
  readonly summary: string;
  /** The form of the command line; empty for a topic. */
  readonly usage: string;
  readonly sections: readonly Section[];
}

/**
 * Reads prose as it stands in the source: blank lines part the blocks, lines that are indented stay as they are, and
 * those of them that all have two columns are rows.
 */
export function readBlocks(text: string): Block[] {
  return text
    .split(/\n\s*\n/)
    .flatMap((chunk) => readChunk(chunk.split('\n').filter((line) => line.trim() !== '')));
}

function readChunk(lines: readonly string[]): Block[] {
  const [first] = lines;
  if (first === undefined) return [];
  const end = lines.findIndex((line) => isIndented(line) !== isIndented(first));
  const own = end === -1 ? lines : lines.slice(0, end);
  return [isIndented(first) ? readIndented(own) : asText(own), ...readChunk(lines.slice(own.length))];
}

function isIndented(line: string): boolean {
  return line.startsWith('  ');
}

function asText(lines: readonly string[]): Block {
  return { kind: 'text', text: lines.map((line) => line.trim()).join(' ') };
}

// What follows "#" is a comment of a shell, not the meaning of a term.
function readIndented(lines: readonly string[]): Block {
  const found = lines.map((line) => /^ +(\S.*?) {2,}([^\s#].*)$/.exec(line));
  const rows = found.flatMap((match) => (match ? [{ term: match[1] ?? '', text: match[2] ?? '' }] : []));
  if (rows.length === lines.length) return { kind: 'rows', rows };
  return { kind: 'code', lines: lines.map((line) => line.slice(2)) };
}

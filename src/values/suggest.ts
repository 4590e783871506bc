/**
 * The known word that was probably meant; undefined where none is near enough. Two slips (a letter too many, too few,
 * wrong, or two in the wrong order) are forgiven, one in words of up to four letters; so is a beginning of three.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const typed = word.toLowerCase();
  const most = typed.length > 4 ? 2 : 1;
  const ranked = known
    .map((candidate) => ({ candidate, slips: slipsTo(typed, candidate.toLowerCase()) }))
    .sort((a, b) => a.slips - b.slips);
  return ranked.find(({ slips }) => slips <= most)?.candidate;
}

function slipsTo(typed: string, known: string): number {
  // Most have nothing in common: the difference in length alone says so.
  if (typed.length >= 3 && known.startsWith(typed)) return 1;
  return Math.abs(typed.length - known.length) > 2 ? Number.POSITIVE_INFINITY : distance(typed, known);
}

// Optimal string alignment distance, row by row.
function distance(a: string, b: string): number {
  let [before, above] = [[] as number[], Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let row = 1; row <= a.length; row++) {
    const here = [row];
    for (let at = 1; at <= b.length; at++) here.push(cell({ a, b, row, at, here, above, before }));
    [before, above] = [above, here];
  }
  return above[b.length] ?? 0;
}

interface Cell {
  readonly a: string;
  readonly b: string;
  readonly row: number;
  readonly at: number;
  readonly here: readonly number[];
  readonly above: readonly number[];
  readonly before: readonly number[];
}

function cell({ a, b, row, at, here, above, before }: Cell): number {
  const far = Number.POSITIVE_INFINITY;
  const wrong = (above[at - 1] ?? far) + (a[row - 1] === b[at - 1] ? 0 : 1);
  const isSwapped = row > 1 && at > 1 && a[row - 1] === b[at - 2] && a[row - 2] === b[at - 1];
  const swapped = isSwapped ? (before[at - 2] ?? far) + 1 : far;
  return Math.min((above[at] ?? far) + 1, (here[at - 1] ?? far) + 1, wrong, swapped);
}

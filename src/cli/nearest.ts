/** The word that was probably meant; undefined where none is near: two letters off at most, and half of a short one. */
export function nearest(typed: string, words: readonly string[]): string | undefined {
  const near = words
    .map((word) => ({ word, off: distance(typed.toLowerCase(), word.toLowerCase()) }))
    .filter(({ word, off }) => off <= Math.min(2, Math.floor(Math.max(word.length, typed.length) / 2)));
  return near.sort((a, b) => a.off - b.off)[0]?.word;
}

// Damerau and Levenshtein: letters put in, left out, mistaken, or swapped with their neighbour.
function distance(a: string, b: string): number {
  let [older, old]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) row.push(step({ a, b, i, j }, { older, old, row }));
    [older, old] = [old, row];
  }
  return old[b.length] ?? 0;
}

type Place = { readonly a: string; readonly b: string; readonly i: number; readonly j: number };
type Rows = Readonly<Record<'older' | 'old' | 'row', readonly number[]>>;

function step({ a, b, i, j }: Place, { older, old, row }: Rows): number {
  const mistaken = a[i - 1] === b[j - 1] ? 0 : 1;
  const off = Math.min(at(old, j) + 1, at(row, j - 1) + 1, at(old, j - 1) + mistaken);
  const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
  return isSwapped ? Math.min(off, at(older, j - 2) + 1) : off;
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}

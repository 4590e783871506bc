/** The word as it can be pasted into a shell: in single quotes where it holds more than a shell leaves alone. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * JSON indented by two spaces, its numbers as they were written: parsing would round an id past 2^53, and 1.0.
 * Strings are written with as few escapes as JSON allows. @throws {SyntaxError} where the text is no JSON.
 */
export function indented(json: string): string {
  JSON.parse(json);
  let [text, depth, last] = ['', 0, ''];
  for (const [token] of json.matchAll(TOKEN)) {
    const isEnd = CLOSES.includes(token);
    if (isEnd) depth -= 1;
    if (isEnd ? !OPENS.includes(last) : OPENS.includes(last) || last === ',')
      text += `\n${'  '.repeat(depth)}`;
    text += written(token);
    if (OPENS.includes(token)) depth += 1;
    last = token;
  }
  return text;
}

const OPENS: readonly string[] = ['{', '['];
const CLOSES: readonly string[] = ['}', ']'];

function written(token: string): string {
  if (token === ':') return ': ';
  return token.startsWith('"') ? JSON.stringify(JSON.parse(token)) : token;
}

/** JSON in one line, without a space, otherwise as it was written. */
export function compact(json: string): string {
  return Array.from(json.matchAll(TOKEN), ([token]) => token).join('');
}

/** The elements of a JSON array, or the names and values in turn of an object, each exactly as it was written. */
export function elements(json: string): string[] {
  const borders: number[] = [];
  let depth = 0;
  for (const { 0: token, index } of json.matchAll(TOKEN)) {
    if (OPENS.includes(token) && depth++ === 0) borders.push(index);
    else if (CLOSES.includes(token) && --depth === 0) borders.push(index);
    else if (depth === 1 && (token === ',' || token === ':')) borders.push(index);
  }
  const parts = borders.slice(1).map((end, at) => json.slice((borders[at] ?? 0) + 1, end).trim());
  return parts.length === 1 && parts[0] === '' ? [] : parts;
}

/** The value of an object's member, exactly as it was written; undefined where it has none of that name. */
export function member(json: string, name: string): string | undefined {
  const parts = elements(json);
  const at = parts.findIndex((part, index) => index % 2 === 0 && part === JSON.stringify(name));
  return at < 0 ? undefined : parts[at + 1];
}

/** What stands in a query. Podio wants truth as 1 and 0 there (developers.podio.com/index/api); undefined is left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** The path with these names and values behind what it has: text as it is, truth as 1 and 0, anything else as JSON. */
export function withQuery(path: string, parameters: Iterable<readonly [string, unknown]>): string {
  const pairs = [...parameters].filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return path;
  const texts = pairs.map(([name, value]): [string, string] => [name, textOf(value)]);
  return `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(texts)}`;
}

function textOf(value: unknown): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

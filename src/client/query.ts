/** What stands in a query. Podio wants truth as 1 and 0 there (developers.podio.com/index/api); undefined is left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** The path with the query behind it. */
export function withQuery(path: string, query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return path;
  const texts = pairs.map(([name, value]): [string, string] => [name, textOf(value)]);
  return `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams(texts)}`;
}

function textOf(value: Query[string]): string {
  return String(typeof value === 'boolean' ? Number(value) : value);
}

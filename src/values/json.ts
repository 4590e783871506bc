/**
 * The object that a JSON text holds; undefined where it holds none. The parser's own message is never let out,
 * because it quotes the text, and the texts read here hold tokens.
 */
export function parseJsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

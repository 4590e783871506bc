/** No path and no sentence holds so long a run of such letters; a token does. */
const LIKE_A_TOKEN = /[A-Za-z0-9_~+=-]{20,}/g;

/**
 * What an error of somebody else's code says, in one line, without anything that is or may be a token.
 * `secrets`: an object whose texts are taken out, whatever they look like.
 */
export function withoutTokens(error: unknown, secrets?: unknown): string {
  const { name, message } = error instanceof Error ? error : { name: '', message: '' };
  // A parser quotes what it could not read.
  if (name === 'SyntaxError' || message === '') return name || 'it threw something that is no Error';
  const texts = Object.values(Object(secrets)).filter((text) => typeof text === 'string' && text !== '');
  const clean = texts.reduce<string>((left, text) => left.replaceAll(String(text), '…'), message);
  const [line = ''] = clean.replace(LIKE_A_TOKEN, '…').split('\n');
  return line.slice(0, 200);
}

import type { HttpResponse } from '../http/http.ts';
import { brokenAnswer } from './failures.ts';
import type { Target } from './target.ts';

const MOST_REDIRECTS = 5;

/**
 * The answer at the end of the redirects, of which only reads within one origin are followed: elsewhere the token
 * must not go, and what was written must not be written twice.
 * @throws {PodioError} for any other redirect.
 */
export async function followed(
  target: Target,
  send: (target: Target) => Promise<HttpResponse>,
  method: string,
): Promise<HttpResponse> {
  let answer = await send(target);
  for (let count = 0, at = target; isRedirect(answer); count++) {
    answer.body.destroy();
    if (count === MOST_REDIRECTS) throw brokenAnswer(answer, 'the API redirects in circles');
    if (method !== 'GET' && method !== 'HEAD')
      throw brokenAnswer(answer, `the API redirects a ${method}; not repeated`);
    at = next(answer, at);
    answer = await send(at);
  }
  return answer;
}

function isRedirect({ status, headers }: HttpResponse): boolean {
  return [301, 302, 303, 307, 308].includes(status) && headers.location !== undefined;
}

function next(answer: HttpResponse, { origin, path }: Target): Target {
  const url = locationOf(answer, origin + path);
  if (url === undefined) throw brokenAnswer(answer, 'the API redirects to what is no URL');
  if (url.origin !== origin || url.username !== '') {
    throw brokenAnswer(answer, `the API redirects to ${url.origin}; the token was not sent there`);
  }
  return { origin, path: url.pathname + url.search };
}

function locationOf({ headers }: HttpResponse, base: string): URL | undefined {
  try {
    return new URL(String(headers.location), base);
  } catch {
    return undefined;
  }
}

import type { Body } from '../values/body.ts';
import { VERSION } from '../values/version.ts';

/** Who calls. */
export const USER_AGENT = `podio-cli/${VERSION} (node ${process.version}; ${process.platform})`;

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** The headers of a call: those that every call has, over them the caller's own, over all the token. */
export function requestHeaders(
  { body, headers }: { readonly body?: Body | undefined; readonly headers?: Headers },
  token: string,
): Headers {
  return {
    accept: 'application/json',
    'user-agent': USER_AGENT,
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...headers,
    authorization: `OAuth2 ${token}`,
  };
}

import { UsageError } from '../errors.ts';
import type { SessionScope } from '../values/session-manager.ts';

/** What is asked for on Podio's authorize page. */
export interface AuthorizeOptions {
  /** Comes back with the answer: random, bound to the browser that asks, and compared by whoever gets the answer. */
  readonly state: string;
  /** Pairs of `type:permission` with spaces between; everything (`global:all`) where it is left out. */
  readonly scope?: string | undefined;
}

/**
 * The address of the page on which a user lets an API key act for them; the browser comes back to `redirectUri` with
 * `code` and `state`, or with `error` (developers.podio.com/authentication/server_side).
 * @throws {UsageError} where `redirectUri` is no web address, or holds a fragment (RFC 6749 §3.1.2).
 */
export function authorizeUrl(
  { apiUrl, clientId }: SessionScope,
  redirectUri: string,
  { state, scope }: AuthorizeOptions,
): string {
  checkRedirect(redirectUri);
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    ...(scope !== undefined && { scope }),
    state,
  });
  // Not every server reads a plus as a space; a plus of the text's own is escaped already.
  return `${pagesOf(apiUrl)}/oauth/authorize?${query.toString().replaceAll('+', '%20')}`;
}

// What people see is at podio.com, beside api.podio.com.
function pagesOf(apiUrl: string): string {
  return apiUrl.replace(/^https:\/\/api\./, 'https://');
}

function checkRedirect(redirectUri: string): void {
  if (URL.canParse(redirectUri)) {
    const { protocol } = new URL(redirectUri);
    if (/^https?:$/.test(protocol) && !redirectUri.includes('#')) return;
  }
  throw new UsageError(`"${redirectUri}" is no address that a browser can be sent back to`, {
    hint: "give a web address on the API key's domain, without a fragment",
  });
}

import type { ApiRequest } from './api-request.ts';
import { Refusal } from './refusal.ts';
import type { Login, Tokens } from './tokens.ts';

/**
 * The login behind a call: `Authorization: OAuth2 T` (documented), `Bearer T`, or `?oauth_token=T`.
 * @throws {Refusal} 401 `invalid_request` without a token, 401 `expired_token` for a token that is not good, be
 *   it expired, ended or never issued, 400 for a header that cannot be read. All as measured on 2026-08-11.
 */
export function authorize(request: ApiRequest, tokens: Tokens): Login {
  const token = presentedToken(request);
  if (token === undefined) throw unauthorized('invalid_request');
  const login = tokens.find(token);
  if (login === undefined) throw unauthorized('expired_token');
  return login;
}

function presentedToken({ headers, query }: ApiRequest): string | undefined {
  if (headers.authorization === undefined) return new URLSearchParams(query).get('oauth_token') ?? undefined;
  const [, token] = /^(?:OAuth2|Bearer)\s+(\S+)$/i.exec(headers.authorization.trim()) ?? [];
  if (token === undefined) throw new Refusal(400, 'Invalid authorization header', null);
  return token;
}

function unauthorized(description: string): Refusal {
  const challenge = `Bearer realm="podio", error="${description}"`;
  return new Refusal(401, 'unauthorized', description, { headers: { 'www-authenticate': challenge } });
}

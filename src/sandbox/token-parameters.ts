import type { IncomingHttpHeaders } from 'node:http';
import { type ApiRequest, mediaType } from './api-request.ts';
import { isJsonObject, type JsonObject } from './json-body.ts';
import { Refusal } from './refusal.ts';

/** The parameters of a token request, whichever way they were encoded. */
export type TokenParameters = ReadonlyMap<string, string>;

/** The form that `/oauth/token` takes; a body of any other type holds no parameters at all. */
export function formParameters(request: ApiRequest): TokenParameters {
  const isForm = mediaType(request.headers) === 'application/x-www-form-urlencoded';
  return new Map(new URLSearchParams(isForm ? request.body.toString('utf8') : ''));
}

/** The members of a JSON object that can be parameters: strings and numbers. */
export function jsonParameters(object: JsonObject): TokenParameters {
  const usable = Object.entries(object).filter(([, value]) => ['string', 'number'].includes(typeof value));
  return new Map(usable.map(([name, value]) => [name, String(value)]));
}

/**
 * A parameter that must be there.
 * @throws {Refusal} 400 where it is missing or empty.
 */
export function required(parameters: TokenParameters, name: string, error = 'invalid_request'): string {
  const value = parameters.get(name);
  if (value) return value;
  throw new Refusal(400, error, `Missing parameter ${name}`);
}

/** Client id and secret of an HTTP Basic header, as podio-java and podio-objc send them; none without one. */
export function basicCredentials(headers: IncomingHttpHeaders): TokenParameters {
  const [, encoded] = /^Basic\s+(\S+)$/i.exec(headers.authorization ?? '') ?? [];
  if (encoded === undefined) return new Map();
  const [id = '', ...secret] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return new Map([
    ['client_id', id],
    ['client_secret', secret.join(':')],
  ]);
}

/**
 * The grant that a request to a token endpoint asks for, read leniently so that refused requests are counted
 * too; undefined elsewhere, and where none can be made out.
 */
export function grantTypeOf(request: ApiRequest): string | undefined {
  if (!isTokenPath(request.path) || request.method !== 'POST') return undefined;
  const text = request.body.toString('utf8');
  return (grantInJson(text) ?? new URLSearchParams(text).get('grant_type')) || undefined;
}

/** Whether a path is one of the two token endpoints. */
export function isTokenPath(path: string): boolean {
  return path === '/oauth/token' || path === '/oauth/token/v2';
}

function grantInJson(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? jsonParameters(value).get('grant_type') : undefined;
  } catch {
    return undefined;
  }
}

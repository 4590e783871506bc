import { type ApiRequest, mediaType } from './api-request.ts';
import { invalidValue } from './refusal.ts';

/** A JSON object whose members are unchecked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object: neither null nor a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The body as a JSON object. A body of another media type counts as no value at all, as at `/oauth/token/v2`.
 * @throws {Refusal} 400 `invalid_value`, in the words of Podio: `Invalid value null (null): must be object`.
 */
export function jsonObject(request: ApiRequest): JsonObject {
  const value = jsonValue(request);
  if (isJsonObject(value)) return value;
  throw invalidValue(`Invalid value ${shown(value)} (${typeName(value)}): must be object`);
}

function jsonValue(request: ApiRequest): unknown {
  if (mediaType(request.headers) !== 'application/json' || request.body.length === 0) return null;
  try {
    return JSON.parse(request.body.toString('utf8'));
  } catch {
    throw invalidValue('Invalid value: the body is not valid JSON');
  }
}

function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 60);
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

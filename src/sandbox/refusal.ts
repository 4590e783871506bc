import { type Answer, json, withHeaders } from './answers.ts';

/** The parts of Podio's error envelope that most refusals leave at their defaults. */
export interface RefusalDetails {
  /** A finer code, e.g. `oauth.grant.expired`; null where there is none. */
  readonly detail?: string;
  /** Whether the description is meant for end users. */
  readonly propagate?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by whatever handles a request that Podio would not fulfil. */
export class Refusal extends Error {
  readonly status: number;
  readonly error: string;
  readonly description: string | null;
  readonly details: RefusalDetails;

  constructor(status: number, error: string, description: string | null, details: RefusalDetails = {}) {
    super(description ?? error);
    this.status = status;
    this.error = error;
    this.description = description;
    this.details = details;
  }
}

/** The request as an error envelope names it. */
export interface RefusedRequest {
  readonly method: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
}

/** Podio's error envelope with all its fields; `request.url` is the path only, as measured in 2026. */
export function refusalAnswer(refusal: Refusal, request: RefusedRequest): Answer {
  const { detail = null, propagate = false, headers = {} } = refusal.details;
  const envelope = {
    error_parameters: {},
    error_detail: detail,
    error_propagate: propagate,
    request: { url: request.path, query_string: request.query, method: request.method },
    error_description: refusal.description,
    error: refusal.error,
  };
  return withHeaders(json(envelope, refusal.status), headers);
}

/** 400 `invalid_value`: the body or a part of it is not what the operation takes. */
export function invalidValue(description: string): Refusal {
  return new Refusal(400, 'invalid_value', description);
}

/** 403: logged in, but not entitled to this. */
export function forbidden(description: string): Refusal {
  return new Refusal(403, 'forbidden', description);
}

/** 404 for a thing that does not exist. */
export function notFound(description = 'Object not found'): Refusal {
  return new Refusal(404, 'not_found', description);
}

/** 404 for a path, slash or method that no operation has; `because` says what did not fit. */
export function noOperation(because: string): Refusal {
  return new Refusal(404, 'not_found', `No matching operation could be found. ${because}`.trimEnd());
}

import { NotLoggedInError, PodioError, RateLimitError } from '../errors.ts';
import type { HttpResponse } from '../http/http.ts';
import { parseJsonObject } from '../values/json.ts';

/** Podio's error envelope, as far as an answer holds one. */
interface Envelope {
  readonly error: string;
  readonly description: string;
  readonly detail: string | undefined;
  readonly parameters: unknown;
}

type Head = Pick<HttpResponse, 'status' | 'statusText' | 'headers'>;

/** The error that a refusing or failing answer stands for. `at401` says what to do about a refused token. */
export function failureOf(head: Head, body: string, at401 = 'log in again: podio login'): PodioError {
  const envelope = readEnvelope(body);
  const { error, detail, parameters } = envelope;
  const details = { status: head.status, error, detail, parameters, requestId: requestId(head) };
  const description =
    envelope.description || error || `the API answered ${head.status} ${head.statusText}`.trim();
  if (head.status !== 420 && head.status !== 429) {
    return new PodioError(description, { ...details, hint: hintFor(head, body, at401) });
  }
  const waitSeconds = waitOf(head, description);
  return new RateLimitError(description, { ...details, waitSeconds, hint: waitHint(waitSeconds) });
}

/**
 * Whether the token endpoint refused the credentials, as opposed to failing, to being asked too often, and to
 * somebody else answering in its place: a refusal names its kind (RFC 6749 §5.2).
 */
export function isRefusal(error: unknown): error is PodioError {
  return error instanceof PodioError && [400, 401, 403].includes(error.status) && error.error !== '';
}

/** The error for credentials that were refused; `check` says which they are, unless it was the API key. */
export function refusedLogin(cause: PodioError, check: string): NotLoggedInError {
  const { message, status, error } = cause;
  const hint = error === 'invalid_client' ? CHECK_API_KEY : check;
  return new NotLoggedInError(`Podio refused the login: ${message} (HTTP ${status}, ${error})`, {
    hint,
    cause,
  });
}

const CHECK_API_KEY =
  'check the API key at podio.com/settings/api: --client-id with --client-secret-file, or PODIO_CLIENT_ID with PODIO_CLIENT_SECRET';

/** An answer with a good status that is not what the protocol asks for. */
export function brokenAnswer(head: Head, what: string): PodioError {
  return new PodioError(what, { status: head.status, error: '', requestId: requestId(head) });
}

/** Whether a 401 says that the token has ended; Podio says the same of one it has never seen. */
export function isStaleToken(failure: PodioError): boolean {
  if (failure.status !== 401) return false;
  return [failure.error, failure.message].some((text) => /expired_token|invalid_token/.test(text));
}

function readEnvelope(body: string): Envelope {
  const fields = parseJsonObject(body) ?? {};
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : '');
  return {
    error: text('error'),
    description: text('error_description'),
    detail: text('error_detail') || undefined,
    parameters: fields.error_parameters,
  };
}

function requestId({ headers }: Head): string | undefined {
  const id = headers['x-podio-request-id'];
  return typeof id === 'string' ? id : undefined;
}

// No Retry-After is documented; the seconds stand in the text (developers.podio.com/index/limits names no other way).
function waitOf(head: Head, description: string): number | undefined {
  const told = retryAfter(head);
  if (told !== undefined) return told;
  const seconds = /wait (\d{1,6}) seconds?\b/i.exec(description)?.[1];
  return seconds === undefined ? undefined : Number(seconds);
}

/** The seconds that Retry-After asks to wait, as a number or a date (RFC 9110 §10.2.3); undefined where it asks nothing. */
export function retryAfter({ headers }: Pick<Head, 'headers'>): number | undefined {
  const text = String(headers['retry-after'] ?? '');
  if (/^\d{1,6}$/.test(text)) return Number(text);
  const at = / GMT$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}

function waitHint(seconds: number | undefined): string {
  if (seconds === undefined) return 'Podio allows about 1,000 calls an hour; try again later';
  return `try again in ${seconds} s, at ${new Date(Date.now() + seconds * 1000).toISOString()}`;
}

function hintFor(head: Head, body: string, at401: string): string | undefined {
  const { status } = head;
  if (status === 404 && body.includes('No matching operation')) {
    return 'check method and path; Podio tells "/x/" and "/x" apart';
  }
  if (status === 401) return at401;
  if (status === 403)
    return 'an app sees its own app only; log in as a user for more: podio login --password';
  const seconds = retryAfter(head);
  if (status >= 500 && seconds !== undefined)
    return `Podio has trouble of its own; try again in ${seconds} s`;
  return status >= 500 ? 'Podio has trouble of its own; try again later' : undefined;
}

/** What may be said beside the message of a failure. */
export interface FailureDetails {
  /** What to type or do next, in one sentence. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * A failure that podio foresees: `message` says what was wrong, `hint` what to do about it.
 * Neither they nor `cause` ever hold a token, a secret or a request body.
 */
export class Failure extends Error {
  override readonly name: string = 'Failure';
  readonly hint: string | undefined;

  constructor(message: string, { hint, cause }: FailureDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.hint = hint;
  }
}

/** Wrong usage or bad input; nothing was sent. */
export class UsageError extends Failure {
  override readonly name = 'UsageError';
}

/** No session is stored, or Podio refused the credentials or the session. */
export class NotLoggedInError extends Failure {
  override readonly name = 'NotLoggedInError';
}

/** The API could not be reached: DNS, TCP, TLS, proxy, time-out, or an answer that broke off. */
export class ConnectionError extends Failure {
  override readonly name = 'ConnectionError';
  /** Whether the same request may well go through a moment later. */
  readonly isPassing: boolean;
  /** Whether the request may have reached the API all the same. */
  readonly wasSent: boolean;

  constructor(message: string, details: FailureDetails & { isPassing?: boolean; wasSent?: boolean } = {}) {
    super(message, details);
    this.isPassing = details.isPassing ?? false;
    this.wasSent = details.wasSent ?? true;
  }
}

/** The place where sessions are kept is locked, damaged, unsafe, unavailable or full. */
export class StoreError extends Failure {
  override readonly name = 'StoreError';
}

/** A signal asked the program to stop, and nothing was left half done. */
export class InterruptedError extends Failure {
  override readonly name = 'InterruptedError';
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`stopped by ${signal}`);
    this.signal = signal;
  }
}

/** What Podio says of a request that it did not fulfil: its error envelope and the HTTP status. */
export interface PodioErrorDetails extends FailureDetails {
  readonly status: number;
  /** Podio's word for the kind, e.g. `not_found`; empty where the answer was no error envelope. */
  readonly error: string;
  readonly detail?: string | undefined;
  readonly parameters?: unknown;
  /** `x-podio-request-id`, to be named when asking Podio's support. */
  readonly requestId?: string | undefined;
}

/** The API refused the request (4xx) or failed (5xx, or an answer that breaks the protocol). */
export class PodioError extends Failure {
  override readonly name: string = 'PodioError';
  readonly status: number;
  readonly error: string;
  readonly detail: string | undefined;
  readonly parameters: unknown;
  readonly requestId: string | undefined;

  constructor(description: string, details: PodioErrorDetails) {
    super(description, details);
    this.status = details.status;
    this.error = details.error;
    this.detail = details.detail;
    this.parameters = details.parameters;
    this.requestId = details.requestId;
  }
}

/** Podio's hourly budget is used up (420, 429). */
export class RateLimitError extends PodioError {
  override readonly name = 'RateLimitError';
  /** Seconds until it is worth asking again; undefined where Podio did not say. */
  readonly waitSeconds: number | undefined;

  constructor(description: string, details: PodioErrorDetails & { waitSeconds: number | undefined }) {
    super(description, details);
    this.waitSeconds = details.waitSeconds;
  }
}

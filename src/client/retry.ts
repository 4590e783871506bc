import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { ConnectionError, PodioError, RateLimitError } from '../errors.ts';
import { readWhole } from '../http/decoding.ts';
import type { HttpResponse } from '../http/http.ts';
import { isRepeatable } from '../values/repeatable.ts';
import { brokenAnswer, failureOf, retryAfter } from './failures.ts';

/** How a call that did not succeed may be repeated. */
export interface RetryPolicy {
  readonly method: string;
  /** How often at most a call is sent again after a failure that a moment may mend. */
  readonly retries: number;
  /** Whether a call may be repeated that may have been half done: a POST that got no answer. */
  readonly isUnsafeAllowed: boolean;
  /** Seconds that may be spent, all in all, on waiting for a rate limit to pass; and each time that a 503 names its own. */
  readonly wait: number;
  readonly signal?: AbortSignal | undefined;
  /** Hears of each repetition before the pause that precedes it. */
  readonly tell?: ((why: string, seconds: number) => void) | undefined;
}

/** What came of one attempt: an answer, good or bad, or what was thrown. */
export type Attempt = { readonly answer: HttpResponse } | { readonly error: unknown };

/** Why to try again, and in how many seconds. */
interface Another {
  readonly why: string;
  readonly seconds: number;
  readonly isRateLimit: boolean;
}

const PASSING = [502, 503, 504];
const LIMITED = [420, 429];
const LONGEST_ERROR = 1024 * 1024;
// Podio names the seconds in its text; where it does not, a minute is what its own clients take.
const UNKNOWN_WAIT = 60;
// Seconds: a service that is away for longer (Retry-After of a 503) is not waited for unless that is allowed.
const PATIENCE = 10;

/** One attempt; nothing is thrown. */
export async function attempt(send: () => Promise<HttpResponse>): Promise<Attempt> {
  return send().then(
    (answer) => ({ answer }),
    (error: unknown) => ({ error }),
  );
}

/**
 * Repeats a call as the policy allows, and resolves with the last answer, good or bad. A call that may have been half
 * done is repeated only where its method makes that harmless, or the policy says so; one that Podio turned away at the
 * rate limit was not done at all, and is repeated after the wait, if that is short enough.
 * @throws what the last attempt threw.
 */
export async function retried(
  send: () => Promise<HttpResponse>,
  policy: RetryPolicy,
  first?: Attempt,
): Promise<HttpResponse> {
  let last = first ?? (await attempt(send));
  let left = { retries: policy.retries, wait: policy.wait };
  for (let count = 0; ; count++) {
    const { another, outcome } = await judged(last, policy, left, count);
    if (another === undefined) return settled(outcome);
    if ('answer' in outcome) outcome.answer.body.destroy();
    policy.tell?.(another.why, another.seconds);
    await sleep(another.seconds, policy.signal);
    left = another.isRateLimit
      ? { ...left, wait: left.wait - another.seconds }
      : { ...left, retries: left.retries - 1 };
    last = await attempt(send);
  }
}

function settled(outcome: Attempt): HttpResponse {
  if ('error' in outcome) throw outcome.error;
  return outcome.answer;
}

async function judged(
  outcome: Attempt,
  policy: RetryPolicy,
  left: Pick<RetryPolicy, 'retries' | 'wait'>,
  count: number,
): Promise<{ readonly another: Another | undefined; readonly outcome: Attempt }> {
  if (isPassing(outcome) && left.retries > 0 && mayRepeat(policy)) {
    const asked = 'answer' in outcome ? (retryAfter(outcome.answer) ?? 0) : 0;
    const seconds = Math.max(backOff(count), asked);
    const another = { why: reasonOf(outcome), seconds, isRateLimit: false };
    return { another: asked <= Math.max(PATIENCE, policy.wait) ? another : undefined, outcome };
  }
  const limited = await rateLimitIn(outcome);
  if (limited === undefined || left.wait <= 0)
    return { another: undefined, outcome: limited?.outcome ?? outcome };
  const { waitSeconds: seconds = UNKNOWN_WAIT } = limited.error;
  const another = seconds <= left.wait ? { why: reasonOf(outcome), seconds, isRateLimit: true } : undefined;
  return { another, outcome: limited.outcome };
}

function mayRepeat({ method, isUnsafeAllowed }: RetryPolicy): boolean {
  return isUnsafeAllowed || isRepeatable(method);
}

function isPassing(outcome: Attempt): boolean {
  if ('answer' in outcome) return PASSING.includes(outcome.answer.status);
  return outcome.error instanceof ConnectionError && outcome.error.isPassing;
}

// The wait stands in the body, which is read once: what judges it hands it on.
async function rateLimitIn(
  outcome: Attempt,
): Promise<{ readonly error: RateLimitError; readonly outcome: Attempt } | undefined> {
  if ('error' in outcome) {
    return outcome.error instanceof RateLimitError ? { error: outcome.error, outcome } : undefined;
  }
  const { answer } = outcome;
  if (!LIMITED.includes(answer.status)) return undefined;
  const tooLong = () => brokenAnswer(answer, 'the answer is too long');
  const text = await readWhole(answer.body, LONGEST_ERROR, tooLong);
  const error = failureOf(answer, text.toString());
  const again = { answer: { ...answer, body: Readable.from([text]) } };
  return error instanceof RateLimitError ? { error, outcome: again } : undefined;
}

function reasonOf(outcome: Attempt): string {
  if ('answer' in outcome) return `HTTP ${outcome.answer.status}`;
  const { error } = outcome;
  if (error instanceof PodioError) return `HTTP ${error.status}`;
  return error instanceof Error ? error.message : String(error);
}

// A quarter of a second, doubled each time, and a random half of it, so that a fleet does not come back as one.
function backOff(count: number): number {
  return 0.25 * 2 ** Math.min(count, 6) * (0.5 + Math.random() / 2);
}

async function sleep(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  await pause(seconds * 1000, undefined, { signal }).catch((error: unknown) => {
    throw signal?.aborted ? signal.reason : error;
  });
}

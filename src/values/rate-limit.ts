import { parseJsonObject } from './json.ts';

/** What Podio said of the hourly budget of calls, and when it said so (developers.podio.com/index/limits). */
export interface RateLimit {
  /** Calls in an hour, for each user and API key. */
  readonly limit: number;
  /** Calls that were left. Podio does not tell when the hour ends. */
  readonly remaining: number;
  /** Epoch milliseconds. */
  readonly seenAt: number;
}

/** How long a figure can mean anything at all: the budget is counted anew every hour. */
export const RATE_WINDOW_MS = 60 * 60 * 1000;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The figure in an answer's X-Rate-Limit-* headers; undefined where there is none. */
export function rateLimitOf(headers: Headers, seenAt: number): RateLimit | undefined {
  const limit = headers['x-rate-limit-limit'];
  const remaining = headers['x-rate-limit-remaining'];
  if (!isCount(limit) || !isCount(remaining)) return undefined;
  return { limit: Number(limit), remaining: Number(remaining), seenAt };
}

/** The figure as it is kept. */
export function limitText({ limit, remaining, seenAt }: RateLimit): string {
  return JSON.stringify({ limit, remaining, seen_at: seenAt });
}

/** The figure that was kept; undefined where there is none, or none that can be read. */
export function limitIn(text: string): RateLimit | undefined {
  const { limit, remaining, seen_at: seenAt } = parseJsonObject(text) ?? {};
  if (typeof limit !== 'number' || typeof remaining !== 'number' || typeof seenAt !== 'number') return;
  return { limit, remaining, seenAt };
}

function isCount(text: unknown): text is string {
  return typeof text === 'string' && /^\d{1,9}$/.test(text);
}

import type { PodioClient } from '../client/podio-client.ts';
import type { RetryPolicy } from '../client/retry.ts';
import type { HttpResponse } from '../http/http.ts';
import { type Body, isSource } from '../values/body.ts';
import type { Request } from './call-request.ts';
import type { Context } from './context.ts';
import { say, visible } from './output.ts';

/** Sends one request, and again as often as it may be; resolves with the last answer, good or bad. */
export type Send = (request: Request) => Promise<HttpResponse>;

const WORTH_ANOTHER_LOOK = [420, 429, 502, 503, 504];

/** What sends the requests of one call: told of on standard error where that is wanted, repeated as the policy allows. */
export function sender({ io, settings }: Context, client: PodioClient, policy: RetryPolicy): Send {
  const tell = (why: string, seconds: number) => {
    if (settings.debug) say(io, visible(`${why}; trying again in ${seconds.toFixed(1)} s`));
  };
  return async (request) => {
    const watch = settings.debug ? (await import('./wire-talk.ts')).wireTalk(io) : undefined;
    const body = await watchedBody(io, request.body);
    const send = () => client.call({ ...request, body, signal: io.signal, watch });
    const first = await send().then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    );
    if ('answer' in first && !WORTH_ANOTHER_LOOK.includes(first.answer.status)) return first.answer;
    const { retried } = await import('../client/retry.ts');
    return retried(send, { ...policy, signal: io.signal, tell }, first);
  };
}

async function watchedBody(io: Context['io'], body: Body | undefined): Promise<Body | undefined> {
  if (!isSource(body) || io.stderr.isTTY !== true) return body;
  return (await import('./progress.ts')).countedBody(body, io);
}

/** Waits for an answer in sight of whoever sits there; what one sends, or asked to see, is told of as it goes. */
export async function inSight<T>(
  { io, settings }: Context,
  { body }: Request,
  work: () => Promise<T>,
): Promise<T> {
  const isTold = settings.debug || isSource(body);
  if (isTold || io.stdout.isTTY !== true || io.stderr.isTTY !== true) return work();
  const { withSpinner } = await import('./spinner.ts');
  return withSpinner(io, 'Waiting for Podio', work);
}

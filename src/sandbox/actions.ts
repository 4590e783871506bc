import { setTimeout as wait } from 'node:timers/promises';
import { type Exchange, madeUpAnswer, send, sendHalf, sendTruncated } from './exchange.ts';

/** When a socket is cut or left hanging: the request undone, done but unanswered, or half of the body sent. */
export const MOMENTS = ['before', 'after', 'middle'] as const;

export type Moment = (typeof MOMENTS)[number];

/** Answers something made up; the request is not carried out. An object is sent as JSON, a text as it is. */
export interface FailAction {
  readonly kind: 'fail';
  readonly status: number;
  readonly body?: string | object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Waits, then carries the request out (or does what the next rule wants). */
export interface DelayAction {
  readonly kind: 'delay';
  readonly ms: number;
}

/** Gives no answer, or no more of it, and keeps the socket open until the sandbox closes. */
export interface HangAction {
  readonly kind: 'hang';
  /** `before` unless said otherwise. */
  readonly at?: Moment;
}

/** Destroys the socket. `after` is the worst of it: a refresh token is spent and its successor lost. */
export interface CutAction {
  readonly kind: 'cut';
  /** `before` unless said otherwise. */
  readonly at?: Moment;
}

/** Sends bytes that are no HTTP and ends the connection; the request is not carried out. */
export interface GarbageAction {
  readonly kind: 'garbage';
  readonly text?: string;
}

/** Sends an HTTP answer that is whole, but with the first half of the right body only. */
export interface HalfAction {
  readonly kind: 'half';
}

/** What a rule does to a request. */
export type Action = FailAction | DelayAction | HangAction | CutAction | GarbageAction | HalfAction;

/** Does what a rule wants; resolves when the sandbox has nothing more to do with the request, or may go on. */
export async function perform(action: Action, exchange: Exchange): Promise<void> {
  switch (action.kind) {
    case 'fail':
      return send(exchange, madeUpAnswer(action.status, action.body, action.headers));
    case 'delay':
      return wait(action.ms, undefined, { ref: false });
    case 'hang':
      return reach(action.at, exchange);
    case 'cut':
      await reach(action.at, exchange);
      return void exchange.response.socket?.destroy();
    case 'garbage':
      return void exchange.response.socket?.end(action.text ?? '\u0016\u0003 this is no HTTP\r\n\r\n');
    case 'half':
      return sendTruncated(exchange, exchange.operate());
  }
}

async function reach(moment: Moment = 'before', exchange: Exchange): Promise<void> {
  if (moment === 'before') return;
  const answer = exchange.operate();
  if (moment === 'middle') await sendHalf(exchange, answer);
}

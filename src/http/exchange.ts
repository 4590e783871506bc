import type { Readable } from 'node:stream';
import type { Body } from '../values/body.ts';
import type { AnswerHead } from './answer-head.ts';

/** On which terms a server is waited for. */
export interface Terms {
  /** Milliseconds without a sign of life after which it is given up. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Puts whatever goes wrong into words; `wasSent` where the server may have heard of the request. */
  readonly inWords: (error: Error, wasSent: boolean) => Error;
}

/** One request, ready to be sent. */
export interface Exchange extends Terms {
  readonly method: string;
  /** Its first line and its headers. */
  readonly head: string;
  readonly body?: Body | undefined;
}

/** What came of an exchange: the head of the answer, and its body as it comes. */
export interface Answer {
  readonly head: AnswerHead;
  readonly body: Readable;
}

import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type Answer, json, withHeaders } from './answers.ts';

/** A request that waits for its answer. */
export interface Exchange {
  readonly response: ServerResponse;
  /** Carries the request out and says what to answer; to be called once at most. */
  readonly operate: () => Answer;
  readonly noteStatus: (status: number) => void;
}

/** Sends an answer whole. */
export function send(exchange: Exchange, answer: Answer): void {
  writeHead(exchange, answer, Buffer.byteLength(answer.body));
  exchange.response.end(answer.body);
}

/** Sends the head of an answer and half of the body that the head announces; resolves when it is on its way. */
export function sendHalf(exchange: Exchange, answer: Answer): Promise<void> {
  writeHead(exchange, answer, Buffer.byteLength(answer.body));
  exchange.response.flushHeaders();
  return new Promise((sent) => exchange.response.write(firstHalf(answer.body), () => sent()));
}

/** Sends an answer that looks whole but whose body is only the first half of what it should be. */
export function sendTruncated(exchange: Exchange, answer: Answer): void {
  send(exchange, { ...answer, body: firstHalf(answer.body) });
}

/** The answer that a rule wants instead of the right one. */
export function madeUpAnswer(
  status: number,
  body: string | object = '',
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const answer = typeof body === 'string' ? { status, headers: {}, body } : json(body, status);
  return withHeaders(answer, headers);
}

function writeHead({ response, noteStatus }: Exchange, { status, headers }: Answer, length: number): void {
  const id = { 'x-podio-request-id': randomBytes(4).toString('hex') };
  const size = status === 204 ? {} : { 'content-length': String(length) };
  noteStatus(status);
  response.writeHead(status, { ...id, ...size, ...headers });
}

function firstHalf(body: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(body);
  return bytes.subarray(0, Math.floor(bytes.length / 2));
}

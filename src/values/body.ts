import type { Readable } from 'node:stream';

/** What a request carries. */
export type Body = string | Buffer | BodySource;

/** A body too long to be held in memory: read as it is sent, and opened anew each time it is sent. */
export interface BodySource {
  /** Bytes; what is opened has as many. */
  readonly length: number;
  readonly open: () => Readable;
}

/** Whether a body is one to be opened. */
export function isSource(body: Body | undefined): body is BodySource {
  return typeof body === 'object' && !Buffer.isBuffer(body);
}

/** How many bytes a request carries; undefined where its method lets it carry nothing and say nothing of it (RFC 9110 §8.6). */
export function lengthOf(method: string, body: Body | undefined): number | undefined {
  if (body === undefined) return ['POST', 'PUT', 'PATCH'].includes(method) ? 0 : undefined;
  return isSource(body) ? body.length : Buffer.byteLength(body);
}

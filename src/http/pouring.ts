import type { ClientRequest } from 'node:http';
import { Failure } from '../errors.ts';
import type { BodySource } from '../values/body.ts';

/**
 * Sends a body as fast as it is taken and no faster. A server that answers before it has heard the whole is believed:
 * the rest is not sent, and the connection serves nobody else.
 * @throws {Failure} where the body cannot be read to its end; what was sent is then broken off, never passed for whole.
 */
export function pourInto(wire: ClientRequest, { open, length }: BodySource): Promise<void> {
  return new Promise((resolve, reject) => {
    const source = open();
    let sent = 0;
    source.on('data', (chunk: Buffer) => {
      sent += chunk.length;
    });
    source.once('error', (error) => reject(error instanceof Failure ? error : unreadable(error)));
    source.once('end', () => {
      if (sent !== length) reject(changed(sent, length));
      else wire.end(resolve);
    });
    wire.once('response', (response) => {
      if (source.readableEnded) return;
      source.unpipe(wire).destroy();
      response.once('close', () => wire.destroy());
    });
    wire.once('close', () => {
      source.destroy();
      resolve();
    });
    source.pipe(wire, { end: false });
  });
}

function unreadable(cause: NodeJS.ErrnoException): Failure {
  return new Failure(`the body could not be read to its end (${cause.code ?? 'unknown trouble'})`, {
    hint: 'see that the file is there and whole, then try again',
    cause,
  });
}

function changed(sent: number, length: number): Failure {
  return new Failure(`the file was ${length} bytes long and is ${sent}: it changed while it was sent`, {
    hint: 'see what came of the call, then try again',
  });
}

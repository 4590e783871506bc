import type { Socket } from 'node:net';
import { Failure } from '../errors.ts';
import type { BodySource } from '../values/body.ts';

/**
 * Sends a body as fast as it is taken and no faster. `fail` is told where it cannot be read to its end: what was sent is
 * then to be broken off, never passed for whole. Answers what ends the sending, and says whether all had been sent.
 */
export function pour(
  { open, length }: BodySource,
  socket: Socket,
  fail: (error: Failure) => void,
): () => boolean {
  const source = open();
  let sent = 0;
  let isStopped = false;
  source.on('data', (chunk: Buffer) => {
    sent += chunk.length;
    // What goes beyond the length would be taken for another request.
    if (sent > length) fail(changed(sent, length));
  });
  source.once('error', (error) => fail(error instanceof Failure ? error : unreadable(error)));
  source.once('end', () => {
    if (sent !== length) fail(changed(sent, length));
  });
  source.once('close', () => {
    socket.off('close', stop);
    if (!source.readableEnded && !isStopped) fail(unreadable(new Error('closed before its end')));
  });
  const stop = () => {
    isStopped = true;
    source.unpipe(socket).destroy();
    return source.readableEnded;
  };
  socket.once('close', stop);
  source.pipe(socket, { end: false });
  return stop;
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

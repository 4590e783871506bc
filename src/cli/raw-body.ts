import { randomBytes } from 'node:crypto';
import { constants, createReadStream, createWriteStream, fstatSync, openSync, unlinkSync } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure, UsageError } from '../errors.ts';
import type { BodySource } from '../values/body.ts';
import { openStdin, unlessStopped } from './input.ts';
import type { Io } from './io.ts';

/**
 * The bytes of a file, or of standard input where the name is "-". A file is opened each time it is sent; what can be
 * read once only, standard input or a pipe, first goes to a temporary file: a call may have to be repeated with a new
 * token, and its length must be known. @throws {UsageError}
 */
export async function bodyFrom(io: Io, name: string, option: string): Promise<BodySource> {
  if (name === '-') return spooled(openStdin(io, option), io);
  try {
    const { size, isPlain } = await looked(name);
    if (!isPlain) return await spooled(createReadStream(name), io);
    return { length: size, open: () => createReadStream(name) };
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
    throw new UsageError(`${option}: cannot read ${name} (${why})`, { cause });
  }
}

async function looked(name: string): Promise<{ size: number; isPlain: boolean }> {
  const found = await stat(name);
  await access(name, constants.R_OK);
  return { size: found.size, isPlain: found.isFile() };
}

// Without a name before its first byte is written: nobody else finds it, and no crash leaves it behind.
async function spooled(source: Readable, io: Io): Promise<BodySource> {
  const name = join(tmpdir(), `podio-${randomBytes(8).toString('hex')}`);
  const fd = openSync(name, 'wx+', 0o600);
  unlinkSync(name);
  const { signal } = io;
  await unlessStopped(io, pipeline(source, createWriteStream(name, { fd, autoClose: false }), { signal }));
  const open = () => createReadStream(name, { fd, start: 0, autoClose: false });
  return { length: fstatSync(fd).size, open };
}

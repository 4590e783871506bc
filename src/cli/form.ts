import { basename, extname } from 'node:path';
import { Readable } from 'node:stream';
import { type FileLike, FormDataEncoder, type FormDataLike } from 'form-data-encoder';
import { UsageError } from '../errors.ts';
import type { BodySource } from '../values/body.ts';
import type { Io } from './io.ts';
import { bodyFrom } from './raw-body.ts';

type Entry = readonly [name: string, value: string | FileLike];

/**
 * The multipart body (RFC 7578) that `name=value`, `name=@FILE[;type=TYPE]` and `@FILE` make, and its content type. For
 * Podio's uploads (`/file/`, `/file/v2/`) a file without a name is `source`, and its file name is `filename`.
 * @throws {UsageError}
 */
export async function readForm(
  io: Io,
  parts: readonly string[],
  path: string,
): Promise<{ readonly type: string; readonly body: BodySource }> {
  const entries = await Promise.all(parts.map((part) => readPart(io, part)));
  const encoder = new FormDataEncoder(formOf(withFilename(entries, path)));
  const body = {
    length: Number(encoder.contentLength),
    open: () => Readable.from(encoder.encode(), { objectMode: false }),
  };
  return { type: encoder.contentType, body };
}

async function readPart(io: Io, part: string): Promise<Entry> {
  const [, name = 'source', value = ''] = /^(?:([^=@]+)=)?(.*)$/s.exec(part) ?? [];
  if (value.startsWith('@')) return [name, await readFilePart(io, value.slice(1), name)];
  if (part.includes('=')) return [name, value];
  throw new UsageError(`--form takes name=value, name=@FILE or @FILE, not "${part.slice(0, 40)}"`);
}

async function readFilePart(io: Io, text: string, name: string): Promise<FileLike> {
  const [, file = '', named] = /^(.*?)(?:;type=([\w.+-]+\/[\w.+-]+))?$/s.exec(text) ?? [];
  const { length, open } = await bodyFrom(io, file, `--form ${name}`);
  return {
    name: file === '-' ? 'stdin' : basename(file),
    type: named ?? TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream',
    size: length,
    lastModified: 0,
    stream: open,
    [Symbol.toStringTag]: 'File',
  };
}

// Podio shows a file by the type it came with.
const TYPES: Readonly<Record<string, string>> = {
  '.csv': 'text/csv',
  '.gif': 'image/gif',
  '.html': 'text/html',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.xml': 'application/xml',
  '.zip': 'application/zip',
};

// Both are required (developers.podio.com/doc/files/upload-file-1004361).
function withFilename(entries: readonly Entry[], path: string): readonly Entry[] {
  const source = entries.find(([name]) => name === 'source')?.[1];
  const isUpload = /\/file\/(?:v2\/)?(?:\?|$)/.test(path);
  if (!isUpload || typeof source !== 'object' || entries.some(([name]) => name === 'filename'))
    return entries;
  return [...entries, ['filename', source.name]];
}

function formOf(entries: readonly Entry[]): FormDataLike {
  const iterate = () => entries.values() as IterableIterator<[string, string | FileLike]>;
  return {
    append: () => {},
    getAll: (name: string) => entries.filter(([one]) => one === name).map(([, value]) => value),
    entries: iterate,
    [Symbol.iterator]: iterate,
    [Symbol.toStringTag]: 'FormData',
  } as FormDataLike;
}

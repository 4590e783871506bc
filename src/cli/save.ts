import { randomBytes } from 'node:crypto';
import { constants, createWriteStream } from 'node:fs';
import { access, link, lstat, rename, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Failure, UsageError } from '../errors.ts';

/** A file that the user named for an answer. */
export interface SaveOptions {
  readonly file: string;
  /** Whether a file that is there may be replaced. */
  readonly clobber: boolean;
  /** The option that named the file, for messages. */
  readonly option: string;
}

/** Makes sure, before anything is sent, that the file may be written. @throws {UsageError} */
export async function checkSavable(options: SaveOptions): Promise<void> {
  const { file, clobber, option } = options;
  const stat = await lstat(file).catch(() => undefined);
  if (stat?.isSymbolicLink())
    throw new UsageError(`${option}: ${file} is a symbolic link`, {
      hint: 'name the file itself',
    });
  if (stat?.isDirectory() || /^$|\/$/.test(file)) {
    throw new UsageError(`${option}: "${file}" is a folder`, { hint: 'name a file' });
  }
  if (stat?.isFile() && !clobber) {
    throw new UsageError(`${option}: ${file} exists`, {
      hint: 'name another file, or replace it with --clobber',
    });
  }
  // The dot makes sure that it is a folder.
  const written = stat === undefined || stat.isFile() ? `${dirname(file)}/.` : file;
  await access(written, constants.W_OK).catch((error: unknown) => {
    throw unwritable(options, error);
  });
}

/** Puts the whole of a stream in the file, or nothing: what breaks off leaves no half of it. @throws {Failure} */
export async function save(body: Readable, options: SaveOptions, signal: AbortSignal): Promise<void> {
  const stat = await lstat(options.file).catch(() => undefined);
  // A device (/dev/null) or a pipe is written to as it is.
  const isPlace = stat !== undefined && !stat.isFile();
  const target = isPlace ? options.file : `${options.file}.${randomBytes(6).toString('hex')}.part`;
  try {
    await pipeline(body, createWriteStream(target, { flags: isPlace ? 'w' : 'wx' }), { signal });
    if (!isPlace) await putInPlace(target, options);
  } catch (error) {
    if (!isPlace) await unlink(target).catch(() => undefined);
    throw error instanceof Failure || signal.aborted ? (signal.reason ?? error) : unsaved(options, error);
  }
}

/**
 * Where `--remote-name` puts an answer: the name that its Content-Disposition gives (RFC 6266), else the last part of the
 * path; never a folder, and no name that hides or steers. @throws {Failure} where neither makes a name.
 */
export function remoteName(path: string, disposition: string | undefined): string {
  const [, extended] = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? '') ?? [];
  const [, quoted, plain] = /filename=(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(disposition ?? '') ?? [];
  const named = decodedName(extended) ?? quoted?.replace(/\\(.)/g, '$1') ?? plain;
  const name = (named ?? decodedName(path.split(/[?#]/, 1)[0]) ?? '').split(/[\\/]/).at(-1) ?? '';
  const safe = name
    .replace(/[\p{Cc}\p{Cf}<>:"|?*]/gu, '_')
    .replace(/^\.+/, '')
    .slice(0, 200);
  if (safe !== '') return safe;
  throw new Failure('the answer brings no name for a file', { hint: 'name one yourself: -o FILE' });
}

function decodedName(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return text;
  }
}

// A link fails where a file has come meanwhile; a rename would replace it.
async function putInPlace(part: string, { file, clobber }: SaveOptions): Promise<void> {
  if (clobber) return rename(part, file);
  await link(part, file);
  await unlink(part);
}

/** Puts a text with secrets in it into a new file of mode 0600. @throws {UsageError} where the file is there already. */
export async function saveSecretly(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw unwritable({ file, clobber: false, option: '--output' }, error);
  }
}

// The call was made by then, which a UsageError would deny.
function unsaved({ file, option }: SaveOptions, cause: unknown): Failure {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown trouble';
  const why = code === 'EEXIST' ? 'it exists by now' : code;
  const hint =
    'the call was made, its answer is lost; see that there is room and right to write, then read it again';
  return new Failure(`${option}: could not write ${file} (${why})`, { hint, cause });
}

function unwritable({ file, option }: SaveOptions, cause: unknown): UsageError {
  const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown trouble';
  const hint = 'name a file in a folder that is there and in which you may write';
  return new UsageError(`${option}: cannot write ${file} (${why})`, { hint, cause });
}

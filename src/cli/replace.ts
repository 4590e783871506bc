import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { StoreError } from '../errors.ts';

/**
 * Puts a text in the place of a file of the user's own, in one step: whoever reads sees the old or the new one. Its
 * mode stays (0600 for a new one), and a link stays a link: it may lead into a folder of dotfiles.
 * @throws {StoreError} where that cannot be done; the file is then as it was.
 */
export function replaceFile(file: string, text: string): void {
  let part: string | undefined;
  try {
    const target = behindLinks(file);
    const mode = modeOf(target);
    fs.mkdirSync(path.dirname(target), { recursive: true, mode: 0o700 });
    part = `${target}.${randomBytes(6).toString('hex')}.part`;
    writeNew(part, text, mode);
    fs.renameSync(part, target);
  } catch (error) {
    if (part !== undefined) fs.rmSync(part, { force: true });
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown trouble';
    throw new StoreError(`cannot write ${file} (${why})`, {
      hint: `see that you may write there: ls -ld '${path.dirname(file)}' '${file}'`,
      cause: error,
    });
  }
}

function behindLinks(file: string, links = 0): string {
  const isLink = fs.lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  if (!isLink || links > 20) return file;
  return behindLinks(path.resolve(path.dirname(file), fs.readlinkSync(file)), links + 1);
}

// A file that its owner has made read-only is not replaced behind his back.
function modeOf(file: string): number {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return 0o600;
  if ((stat.mode & 0o200) === 0) throw Object.assign(new Error('read-only'), { code: 'EACCES' });
  return stat.mode & 0o777;
}

function writeNew(file: string, text: string, mode: number): void {
  const fd = fs.openSync(file, 'wx', 0o600);
  try {
    fs.fchmodSync(fd, mode);
    fs.writeFileSync(fd, text);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

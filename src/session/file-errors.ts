import { constants } from 'node:os';
import { StoreError } from '../errors.ts';

const ELSEWHERE = 'or name another folder with PODIO_DATA_DIR';

const REASONS: Readonly<Record<string, readonly [why: string, remedy: string]>> = {
  ENOSPC: ['the disk is full', `free some space there, ${ELSEWHERE}`],
  EDQUOT: ['the disk quota is used up', `free some space there, ${ELSEWHERE}`],
  EFBIG: ['files may not grow that long here', `raise the limit (ulimit -f), ${ELSEWHERE}`],
  EROFS: ['the file system is read-only', `make it writable, ${ELSEWHERE}`],
  EACCES: ['permission denied', `see with ls -ld who owns it, ${ELSEWHERE}`],
  EPERM: ['the operation is not permitted', `see with ls -ld who owns it, ${ELSEWHERE}`],
  ELOOP: ['it is a symbolic link', `remove the link, ${ELSEWHERE}`],
  ENOTDIR: ['a part of its path is not a folder', `mend the path, ${ELSEWHERE}`],
  EMFILE: ['too many files are open', 'raise the limit (ulimit -n), then try again'],
  ENFILE: ['too many files are open on this machine', 'close some programs, then try again'],
  EIO: ['the disk reported an error', `check the disk, ${ELSEWHERE}`],
};

/** Puts trouble with a file into words: which file, what is wrong with it, what to do. `note` is said beside it. */
export function fileError(action: string, file: string, cause: unknown, note?: string): StoreError {
  if (cause instanceof StoreError) return cause;
  const code = codeOf(cause);
  const [why, hint] = REASONS[code] ?? [code || 'unknown trouble', `check the path, ${ELSEWHERE}`];
  const message = `cannot ${action} ${file}: ${why}`;
  return new StoreError(note === undefined ? message : `${message}; ${note}`, { hint, cause });
}

/** The refusal of a file or folder that others could read, change or have put there. */
export function unsafe(place: string, why: string): StoreError {
  return new StoreError(`${place} ${why}`, {
    hint: 'set it right, or name another folder with PODIO_DATA_DIR; with sudo, use sudo -H or the user itself',
  });
}

/** Whether a failure says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT';
}

/** The system's name of a failure, e.g. `ENOENT`; empty where it has none. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error && 'code' in error)) return '';
  const code = String(error.code);
  if (!/^unknown/i.test(code)) return code;
  // Node has no name for some of them: EDQUOT is "UNKNOWN", or "Unknown system error -122".
  const number = 'errno' in error ? error.errno : Number(/-\d+$/.exec(code)?.[0]);
  return Object.entries(constants.errno).find(([, known]) => -known === number)?.[0] ?? code;
}

/** Does a step again for as long as signals interrupt it; Node does not do so for reads. */
export function despiteSignals<T>(step: () => T): T {
  for (;;) {
    try {
      return step();
    } catch (error) {
      if (codeOf(error) !== 'EINTR') throw error;
    }
  }
}

/** For what tidies up behind a step: its own trouble must not hide what became of the step. */
export function quietly(tidy: () => void): void {
  try {
    tidy();
  } catch {
    // What is left lying about is put in order by whoever takes the lock next.
  }
}

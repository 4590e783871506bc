import {
  closeSync,
  constants,
  copyFileSync,
  linkSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { codeOf, quietly } from './file-errors.ts';
import {
  isAbandoned,
  type LockFile,
  newOwner,
  openLockFile,
  readLockFile,
  type TryLock,
} from './lock-file.ts';

/** A stray file that nobody can be asked about is swept away after an hour. */
const STRAY_MS = 3_600_000;

/**
 * A lock in plain Node, for machines where the kernel's cannot be had. The file at `path` is its owner's
 * record. It appears whole or not at all and goes with its owner; a dead owner's is replaced by one winner.
 */
export const tryOwnerLock: TryLock = (path) => {
  const standing = readLockFile(path);
  if (standing && !isAbandoned(standing)) return undefined;
  const owner = newOwner();
  const draft = `${path}.new.${owner.token}`;
  try {
    write(draft, JSON.stringify(owner));
    if (standing) replace(path, standing, draft);
    else publish(path, draft);
  } finally {
    quietly(() => rmSync(draft, { force: true }));
  }
  // The file decides: NFS may have made a link and lost its own answer.
  if (readLockFile(path)?.id !== owner.token) return undefined;
  quietly(() => sweep(path));
  return () => quietly(() => giveBack(path, owner.token));
};

function write(draft: string, text: string): void {
  const fd = openLockFile(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
  try {
    const written = writeSync(fd, text);
    // A disk that is nearly full takes a part, and half a record would lock everybody out for a minute.
    if (written !== text.length) throw Object.assign(new Error('a part was written'), { code: 'ENOSPC' });
  } finally {
    quietly(() => closeSync(fd));
  }
}

/** Makes the draft appear at `path`, unless something stands there already. */
function publish(path: string, draft: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    if (WITHOUT_LINKS.has(codeOf(error))) publishWithoutLink(path, draft);
    else if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/** What file systems without hard links (FAT, some network mounts) and Android answer to link(2). */
const WITHOUT_LINKS = new Set(['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EISDIR']);

/** Here a kill can leave a file half written; it is nobody's, and its age frees it. */
function publishWithoutLink(path: string, draft: string): void {
  try {
    copyFileSync(draft, path, constants.COPYFILE_EXCL);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/**
 * Puts the draft in the place of an abandoned lock. The right to do so is itself a lock, one for each holding
 * that ever was: whoever comes late gets it too, but no longer finds that holding at `path`.
 */
function replace(path: string, abandoned: LockFile, draft: string): void {
  const giveRightBack = tryOwnerLock(`${path}.break.${abandoned.id}`);
  if (!giveRightBack) return;
  try {
    if (readLockFile(path)?.id === abandoned.id) renameSync(draft, path);
  } finally {
    giveRightBack();
  }
}

function giveBack(path: string, token: string): void {
  if (readLockFile(path)?.id === token) unlinkSync(path);
}

/** Removes what killed contenders left; a right concerns holdings before ours, which never come back. */
function sweep(path: string): void {
  const names = readdirSync(dirname(path)).filter((name) => isContenders(name, basename(path)));
  for (const stray of names.map((name) => join(dirname(path), name))) {
    const file = readLockFile(stray);
    if (file && isAbandoned(file, STRAY_MS)) rmSync(stray, { force: true });
  }
}

function isContenders(name: string, lock: string): boolean {
  return name.startsWith(`${lock}.new.`) || name.startsWith(`${lock}.break.`);
}

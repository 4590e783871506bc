import * as fs from 'node:fs';
import * as path from 'node:path';
import { codeOf, fileError, isMissing, quietly, unsafe } from './file-errors.ts';

/** The names in a folder; none where the folder is missing. @throws {StoreError} */
export function listFolder(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw fileError('read', folder, error);
  }
}

/**
 * Makes sure that a folder is there, this user's own and closed to others (0700, a looser mode is mended).
 * @throws {StoreError} where it is a link, somebody else's, or below a folder in which anybody may rename it.
 */
export function ensureOwnFolder(folder: string): void {
  try {
    const missing = checkAncestors(folder);
    if (missing) makeFolder(folder);
    const stat = fs.lstatSync(folder);
    if (!stat.isDirectory()) throw unsafe(folder, 'is not a folder');
    checkOwner(folder, stat);
    if (process.platform !== 'win32' && (stat.mode & 0o777) !== 0o700) fs.chmodSync(folder, 0o700);
  } catch (error) {
    throw fileError('use', folder, error);
  }
}

// Mode by mode: a umask may leave a folder in which not even its owner could make the next.
function makeFolder(folder: string): void {
  const parent = path.dirname(folder);
  if (fs.statSync(parent, { throwIfNoEntry: false }) === undefined) makeFolder(parent);
  try {
    fs.mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another process has made it meanwhile; whose it is will be looked at.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  fs.chmodSync(folder, 0o700);
}

/** @throws {StoreError} where a file or folder is another user's. */
export function checkOwner(place: string, stat: fs.Stats): void {
  const me = process.geteuid?.();
  if (me !== undefined && stat.uid !== me) throw unsafe(place, `belongs to another user (uid ${stat.uid})`);
}

/** What file systems answer that have no such thing as a folder on the disk, mostly those on a network. */
const NOTHING_TO_SYNC = ['EINVAL', 'ENOTSUP', 'EBADF'];

/** Brings a rename to the disk: it is there only once its folder is. Windows keeps no such handle. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = fs.openSync(folder, fs.constants.O_RDONLY);
  try {
    fs.fsyncSync(fd);
  } catch (error) {
    if (!NOTHING_TO_SYNC.includes(codeOf(error))) throw error;
  } finally {
    quietly(() => fs.closeSync(fd));
  }
}

// Answers whether the folder itself is still missing.
function checkAncestors(folder: string): boolean {
  let nearest: fs.Stats | undefined;
  for (
    let place = path.dirname(folder), last = folder;
    place !== last;
    last = place, place = path.dirname(place)
  ) {
    const stat = fs.statSync(place, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    nearest ??= stat;
    if (isOpenToAll(stat)) throw unsafe(place, 'can be written by everybody');
  }
  const isMissingFolder = fs.lstatSync(folder, { throwIfNoEntry: false }) === undefined;
  if (isMissingFolder && nearest && !isSticky(nearest)) checkRootsPlace(folder, nearest);
  return isMissingFolder;
}

// Under sudo with the caller's HOME, root would leave files there that their owner can no longer use.
function checkRootsPlace(folder: string, parent: fs.Stats): void {
  if (process.geteuid?.() === 0 && parent.uid !== 0)
    throw unsafe(folder, "would be root's in another user's folder");
}

function isSticky(stat: fs.Stats): boolean {
  return (stat.mode & 0o1000) !== 0;
}

function isOpenToAll(stat: fs.Stats): boolean {
  return process.platform !== 'win32' && (stat.mode & 0o002) !== 0 && !isSticky(stat);
}

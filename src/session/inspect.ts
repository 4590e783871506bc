import * as fs from 'node:fs';
import * as path from 'node:path';

/** Something about a file or folder of ours that is not as it should be. */
export interface Flaw {
  readonly kind: 'loose-mode' | 'foreign-owner' | 'link' | 'damaged-copy' | 'leftover' | 'unreadable';
  readonly path: string;
  /** What is wrong, after the path: `can be read by others (mode 0644)`. */
  readonly what: string;
}

/** Everything in the folder and below that is not as podio leaves it; no flaw where there is no folder. Changes nothing. */
export function inspectFolder(folder: string): Flaw[] {
  const stat = fs.lstatSync(folder, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  const flaws = flawsOf(folder, stat);
  if (!stat.isDirectory() || flaws.some(({ kind }) => kind !== 'loose-mode')) return flaws;
  try {
    const inside = fs.readdirSync(folder).flatMap((name) => inspectFolder(path.join(folder, name)));
    return [...flaws, ...inside];
  } catch {
    return [...flaws, { kind: 'unreadable', path: folder, what: 'cannot be listed' }];
  }
}

/** Takes from others the right to read or write a file or folder of ours. */
export function closeToOthers(place: string): void {
  const fd = fs.openSync(place, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  try {
    fs.fchmodSync(fd, fs.fstatSync(fd).isDirectory() ? 0o700 : 0o600);
  } finally {
    fs.closeSync(fd);
  }
}

function flawsOf(place: string, stat: fs.Stats): Flaw[] {
  const flaw = (kind: Flaw['kind'], what: string): Flaw[] => [{ kind, path: place, what }];
  if (stat.isSymbolicLink()) return flaw('link', 'is a symbolic link, which podio does not follow');
  if (stat.isFile() && stat.nlink > 1) return flaw('link', 'has a second name (a hard link)');
  if (stat.uid !== (process.geteuid?.() ?? stat.uid))
    return flaw('foreign-owner', `belongs to user ${stat.uid}`);
  if (process.platform !== 'win32' && (stat.mode & 0o077) !== 0) {
    return flaw('loose-mode', `is open to others (mode ${(stat.mode & 0o777).toString(8).padStart(4, '0')})`);
  }
  return isDamagedCopy(place)
    ? flaw('damaged-copy', 'is a damaged file that was kept aside')
    : leftover(place, stat);
}

function isDamagedCopy(place: string): boolean {
  return /\.corrupt-[^/]*$/.test(place);
}

// What a killed process left is put in order by the next one that writes; only what stays for long is worth a word.
function leftover(place: string, { mtimeMs }: fs.Stats): Flaw[] {
  const isOld = Date.now() - mtimeMs > 60 * 60 * 1000;
  return isOld && place.endsWith('.new')
    ? [{ kind: 'leftover', path: place, what: 'was left by a killed process' }]
    : [];
}

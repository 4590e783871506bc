import * as path from 'node:path';

/** The name that a choice is remembered by: a path in full, which means the same file from any folder. */
export function fullName(name: string): string {
  return isPath(name) && !name.startsWith('file:') ? path.resolve(name) : name;
}

/** Whether a name means another file from another folder. */
export function isRelative(name: string): boolean {
  return fullName(name) !== name && !path.isAbsolute(name);
}

/** Whether a name is the path, or the `file:` URL, of a module. */
export function isPath(name: string): boolean {
  return /^(\.{0,2}[/\\]|\.{1,2}$|[a-z]:[/\\]|file:)/i.test(name);
}

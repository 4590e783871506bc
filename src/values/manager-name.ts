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

/**
 * The name of a session manager as it may be shown and remembered: where it is a URL, without whatever stands
 * before the host, for that is a password or belongs to one.
 */
export function withoutCredentials(name: string): string {
  return name.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^?#]*@/i, '$1');
}

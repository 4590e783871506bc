import { UsageError } from '../errors.ts';

/** Where a call goes: the session's own origin, and the path exactly as it was written. */
export interface Target {
  readonly origin: string;
  readonly path: string;
}

/**
 * Reads a path (`/item/123`) or a full URL of the API's own origin; for api.podio.com also of files.podio.com.
 * The origin is never taken from the text, only compared with it, so a token cannot be led astray.
 * @throws {UsageError} for any other origin, and for what is no path.
 */
export function resolveTarget(text: string, apiUrl: string): Target {
  const target = text.startsWith('/') ? { origin: apiUrl, path: text } : fromUrl(text, apiUrl);
  checkPath(target.path);
  return target;
}

function fromUrl(text: string, apiUrl: string): Target {
  const match = /^(https?:\/\/[^/?#\\@\s]+)(.*)$/i.exec(text);
  if (!match?.[1]) throw notAPath(text);
  const origin = originOf(match[1]);
  if (origin !== apiUrl && !isPodiosFiles(origin, apiUrl)) throw foreign(match[1], apiUrl);
  return { origin, path: match[2] || '/' };
}

function originOf(url: string): string | undefined {
  try {
    return new URL(url).origin;
  } catch {
    return undefined;
  }
}

function isPodiosFiles(origin: string | undefined, apiUrl: string): origin is string {
  return apiUrl === 'https://api.podio.com' && origin === 'https://files.podio.com';
}

function checkPath(path: string): void {
  if (!path.startsWith('/') || path.startsWith('//') || path.includes('\\')) throw notAPath(path);
  const bad = /[^\x21-\x7e]|#/u.exec(path)?.[0];
  if (bad === undefined) return;
  throw new UsageError(
    `the path holds ${bad === '#' ? 'a "#"' : `the character ${JSON.stringify(bad)}`}, which no URL does`,
    {
      hint: `write it as ${bad === '#' ? '%23' : escaped(bad)}`,
    },
  );
}

// MSYS shells turn whatever looks like a path of theirs into one of Windows before a program sees it.
const MANGLED = /^[A-Za-z]:[\\/](?:(?:Program Files(?: \(x86\))?[\\/])?Git|msys\d*|cygwin\d*)?(?=[\\/]|$)/i;

function notAPath(text: string): UsageError {
  if (/^[A-Za-z]:[\\/]/.test(text)) {
    const path = text
      .replace(MANGLED, '')
      .replaceAll('\\', '/')
      .replace(/^[A-Za-z]:/, '');
    return new UsageError(
      `Git Bash has turned the path into a path of Windows: ${JSON.stringify(text.slice(0, 80))}`,
      {
        hint: `keep it from that: MSYS_NO_PATHCONV=1 podio call ${path}`,
      },
    );
  }
  return new UsageError(`${JSON.stringify(text.slice(0, 80))} is not a path`, {
    hint: 'a path begins with one "/", as in: podio call GET /item/123',
  });
}

function foreign(origin: string, apiUrl: string): UsageError {
  return new UsageError(
    `${origin} is not the API that the session belongs to (${apiUrl}); nothing was sent`,
    {
      hint: 'give the path alone, or another API with --api-url and a session of its own',
    },
  );
}

function escaped(character: string): string {
  return [...Buffer.from(character)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}

/** Which requests are meant; what is left out fits every request. */
export interface RequestMatch {
  readonly method?: string;
  /** The path without its query; `*` stands for anything, slashes too. */
  readonly path?: string;
  /** The grant type of a token request. */
  readonly grant?: string;
}

/** Which seen requests are meant: also by the status they were answered with. */
export interface SeenMatch extends RequestMatch {
  readonly status?: number;
}

/** What a match looks at. */
export interface Matchable {
  readonly method: string;
  readonly path: string;
  readonly grantType: string | undefined;
  readonly status: number | undefined;
}

/** Whether a request is one of those meant. */
export function matches(match: SeenMatch, request: Matchable): boolean {
  return (
    (match.method === undefined || match.method === request.method) &&
    (match.path === undefined || fitsPath(match.path, request.path)) &&
    (match.grant === undefined || match.grant === request.grantType) &&
    (match.status === undefined || match.status === request.status)
  );
}

function fitsPath(wanted: string, path: string): boolean {
  const literals = wanted.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${literals.join('.*')}$`, 's').test(path);
}

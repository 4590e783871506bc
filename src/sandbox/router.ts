import type { Answer } from './answers.ts';
import type { ApiRequest } from './api-request.ts';
import type { Podio } from './podio.ts';
import type { Login } from './tokens.ts';

/** A request to an operation that needs a login, with what its path named. */
export interface Call {
  readonly request: ApiRequest;
  readonly podio: Podio;
  readonly login: Login;
  /** The first number in the path. */
  readonly id: number;
}

/** An operation that anybody may ask for: the token endpoints and pages. */
export interface OpenRoute {
  readonly method: string;
  readonly path: string;
  /** Whether it counts against the token endpoint's own rate limit. */
  readonly limited?: boolean;
  readonly open: (request: ApiRequest, podio: Podio) => Answer;
}

/** An operation for the logged-in; `users` shuts out apps, as Podio's documentation marks it. */
export interface ClosedRoute {
  readonly method: string;
  /** `{id}` stands for a number; a slash at the end matters. */
  readonly path: string;
  readonly for: 'everyone' | 'users';
  readonly call: (call: Call) => Answer;
}

export type Route = OpenRoute | ClosedRoute;

/** A route that fits a request, and the number its path holds; 0 where it holds none. */
export interface FoundRoute {
  readonly route: Route;
  readonly id: number;
}

/** The route of a method and path, to the letter: Podio's paths are aware of slashes. */
export function findRoute(routes: readonly Route[], method: string, path: string): FoundRoute | undefined {
  for (const route of routes) {
    const match = route.method === method ? pattern(route.path).exec(path) : null;
    if (match) return { route, id: Number(match[1] ?? 0) };
  }
  return undefined;
}

function pattern(path: string): RegExp {
  return new RegExp(`^${path.replace('{id}', '(\\d{1,15})')}$`);
}

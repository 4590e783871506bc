import { type Answer, withHeaders } from './answers.ts';
import type { ApiRequest } from './api-request.ts';
import { authorize } from './authorization.ts';
import type { Podio } from './podio.ts';
import { forbidden, noOperation, Refusal, refusalAnswer } from './refusal.ts';
import { type ClosedRoute, findRoute, type OpenRoute } from './router.ts';
import { ROUTES } from './routes.ts';
import type { Login } from './tokens.ts';

/** The budget of requests that come without a good token: shown, never spent. */
const ANYBODY = '';

const TOO_LARGE = new Refusal(413, 'too_large', 'The body is larger than 100 MB');

/** What Podio answers to a request; never throws. */
export function operate(request: ApiRequest, podio: Podio): Answer {
  if (request.isTooLarge) return refusalAnswer(TOO_LARGE, request);
  const { route, id } = findRoute(ROUTES, request.method, request.path) ?? { id: 0 };
  if (route === undefined) return withHeaders(noOperationAnswer(request), podio.calls.headers(ANYBODY));
  return 'open' in route ? runOpen(route, request, podio) : runClosed(route, id, request, podio);
}

function runOpen({ open, limited = false }: OpenRoute, request: ApiRequest, podio: Podio): Answer {
  const answer = attempt(request, () => {
    if (limited) podio.tokenCalls.spend(ANYBODY);
    return open(request, podio);
  });
  return limited ? withHeaders(answer, podio.tokenCalls.headers(ANYBODY)) : answer;
}

function runClosed(route: ClosedRoute, id: number, request: ApiRequest, podio: Podio): Answer {
  let budget = ANYBODY;
  const answer = attempt(request, () => {
    const login = authorize(request, podio.tokens);
    budget = budgetOf(login);
    podio.calls.spend(budget);
    checkAudience(route, login);
    return route.call({ request, podio, login, id });
  });
  return withHeaders(answer, podio.calls.headers(budget));
}

/** Limits are "per user per API key" (developers.podio.com/index/limits). */
function budgetOf({ clientId, ref }: Login): string {
  return `${clientId} ${ref.type} ${ref.id}`;
}

function checkAudience(route: ClosedRoute, { ref }: Login): void {
  if (route.for === 'everyone' || ref.type === 'user') return;
  throw forbidden('Authentication as app is not allowed for this method');
}

function attempt(request: ApiRequest, run: () => Answer): Answer {
  try {
    return run();
  } catch (error) {
    return refusalAnswer(error instanceof Refusal ? error : unforeseen(error), request);
  }
}

/** A fault of the sandbox itself; it says where, since only tests and developers meet it. */
function unforeseen(error: unknown): Refusal {
  return new Refusal(500, 'internal', `The sandbox failed: ${error instanceof Error ? error.stack : error}`);
}

function noOperationAnswer(request: ApiRequest): Answer {
  return refusalAnswer(noOperation(request.body.length === 0 ? 'No body was given.' : ''), request);
}

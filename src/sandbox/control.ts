import { type Answer, json, noContent } from './answers.ts';
import type { ApiRequest } from './api-request.ts';
import { readAction, readMatch, readUntil } from './control-bodies.ts';
import { jsonObject } from './json-body.ts';
import { forbidden, invalidValue, noOperation, Refusal, refusalAnswer } from './refusal.ts';
import type { Rule } from './rules.ts';
import type { Stage } from './stage.ts';
import type { Tokens } from './tokens.ts';

interface Control {
  readonly method: string;
  readonly path: string;
  /** What it returns is answered as JSON; undefined is 204. */
  readonly run: (stage: Stage, request: ApiRequest) => unknown;
}

/** What a test in another process may see and steer. */
const CONTROLS: readonly Control[] = [
  { method: 'GET', path: '/sandbox/seen', run: ({ seen }) => seen.requests },
  { method: 'DELETE', path: '/sandbox/seen', run: ({ seen }) => seen.clear() },
  { method: 'GET', path: '/sandbox/rules', run: ({ rules }) => rules.list },
  { method: 'POST', path: '/sandbox/rules', run: addRule },
  { method: 'DELETE', path: '/sandbox/rules', run: ({ rules }) => rules.clear() },
  { method: 'GET', path: '/sandbox/holds', run: listHolds },
  { method: 'POST', path: '/sandbox/holds', run: addHold },
  { method: 'DELETE', path: '/sandbox/holds', run: ({ holds }) => holds.releaseAll() },
  { method: 'POST', path: '/sandbox/expire', run: expire },
];

const ENDINGS: ReadonlyMap<unknown, (tokens: Tokens) => void> = new Map([
  ['access', (tokens: Tokens) => tokens.expireAccess()],
  ['refresh', (tokens: Tokens) => tokens.expireRefresh()],
  ['grants', (tokens: Tokens) => tokens.endAll()],
]);

/** Whether a path steers the sandbox instead of asking Podio. */
export function isControlPath(path: string): boolean {
  return path === '/sandbox' || path.startsWith('/sandbox/');
}

/** Answers a control request; web pages are refused, since what was seen holds tokens and passwords. */
export function control(request: ApiRequest, stage: Stage): Answer {
  try {
    refuseWebPages(request);
    const found = CONTROLS.find(({ method, path }) => method === request.method && path === request.path);
    if (found === undefined) throw noOperation(`Control paths: ${CONTROLS.map(named).join(', ')}.`);
    const value = found.run(stage, request);
    return value === undefined ? noContent() : json(value);
  } catch (error) {
    if (error instanceof Refusal) return refusalAnswer(error, request);
    throw error;
  }
}

function refuseWebPages({ headers }: ApiRequest): void {
  const site = headers['sec-fetch-site'] ?? 'none';
  // A rebound name (DNS rebinding) makes a page same-origin in the browser's eyes, but not loopback in ours.
  const isLoopback = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/i.test(headers.host ?? '');
  if (headers.origin !== undefined || site !== 'none' || !isLoopback) {
    throw forbidden('The sandbox is not steered by web pages');
  }
}

function addRule({ rules }: Stage, request: ApiRequest): Rule {
  const { match, action } = jsonObject(request);
  return rules.add(readMatch(match), readAction(action));
}

function addHold(stage: Stage, request: ApiRequest): void {
  const body = jsonObject(request);
  const [match, until] = [readMatch(body.match), readUntil(body.until)];
  const hold = stage.holds.add(match);
  if (until) stage.seen.when(until.match, until.count).then(() => hold.release());
}

function listHolds({ holds }: Stage): unknown {
  return holds.list.map(({ match, waiting, isOpen }) => ({ match, waiting, isOpen }));
}

function expire({ podio: { tokens } }: Stage, request: ApiRequest): void {
  const { what } = jsonObject(request);
  const end = ENDINGS.get(what);
  if (end === undefined) throw invalidValue(`what must be one of ${[...ENDINGS.keys()].join(', ')}`);
  end(tokens);
}

function named({ method, path }: Control): string {
  return `${method} ${path}`;
}

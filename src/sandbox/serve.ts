import type { IncomingMessage, ServerResponse } from 'node:http';
import { perform } from './actions.ts';
import { type ApiRequest, readRequest } from './api-request.ts';
import { control, isControlPath } from './control.ts';
import { send } from './exchange.ts';
import { operate } from './operate.ts';
import type { OpenSeenRequest } from './seen.ts';
import type { Stage } from './stage.ts';
import { grantTypeOf } from './token-parameters.ts';

const SEEN_BODY_BYTES = 64 * 1024;

/** Answers one request, as Podio would or as a rule wants; never rejects, whatever the client does. */
export async function serve(
  incoming: IncomingMessage,
  response: ServerResponse,
  stage: Stage,
): Promise<void> {
  // A client that goes away in the middle of an answer is no trouble of ours.
  response.on('error', () => {});
  try {
    const request = await readRequest(incoming);
    if (isControlPath(request.path)) serveControl(request, response, stage);
    else await servePodio(request, response, stage);
  } catch {
    response.socket?.destroy();
  }
}

function serveControl(request: ApiRequest, response: ServerResponse, stage: Stage): void {
  const operate = () => control(request, stage);
  send({ response, operate, noteStatus: () => {} }, operate());
}

async function servePodio(request: ApiRequest, response: ServerResponse, stage: Stage): Promise<void> {
  const { podio, seen, rules, holds } = stage;
  const entry = seenEntry(request);
  seen.add(entry);
  await holds.pass(entry);
  const noteStatus = (status: number): void => seen.answered(entry, status);
  const exchange = { response, operate: () => operate(request, podio), noteStatus };
  const actions = rules.actionsFor(entry);
  for (const action of actions) await perform(action, exchange);
  if (actions.every(({ kind }) => kind === 'delay')) send(exchange, exchange.operate());
}

function seenEntry(request: ApiRequest): OpenSeenRequest {
  const { method, path, query, headers } = request;
  const body = request.body.toString('utf8', 0, SEEN_BODY_BYTES);
  return {
    method,
    path,
    query,
    headers,
    body,
    grantType: grantTypeOf(request),
    status: undefined,
    at: Date.now(),
  };
}

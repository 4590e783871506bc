import type { SandboxClient } from './accounts.ts';
import { type Answer, json } from './answers.ts';
import type { ApiRequest } from './api-request.ts';
import { jsonObject } from './json-body.ts';
import type { Podio } from './podio.ts';
import { Refusal } from './refusal.ts';
import {
  basicCredentials,
  formParameters,
  jsonParameters,
  required,
  type TokenParameters,
} from './token-parameters.ts';
import type { Login, Ref, TokenResponse } from './tokens.ts';

/** The answer to a right password where two-step verification is on; no token is in it. */
interface SecondFactorNeeded {
  readonly server_nonce: string;
}

interface TokenRequest {
  readonly client: SandboxClient;
  readonly parameters: TokenParameters;
  readonly podio: Podio;
}

type Grant = (request: TokenRequest) => TokenResponse | SecondFactorNeeded;

const GRANTS: ReadonlyMap<string, Grant> = new Map<string, Grant>([
  ['app', appGrant],
  ['password', passwordGrant],
  ['authorization_code', codeGrant],
  ['refresh_token', refreshGrant],
]);

/** `POST /oauth/token`: a form, and nothing but a form. */
export function tokensForForm(request: ApiRequest, podio: Podio): Answer {
  return tokensFor(request, formParameters(request), podio);
}

/** `POST /oauth/token/v2`: JSON, and nothing but JSON. */
export function tokensForJson(request: ApiRequest, podio: Podio): Answer {
  return tokensFor(request, jsonParameters(jsonObject(request)), podio);
}

/** `POST /mfa/verify`: the second step of a password login, `{nonce, otp}` or `{nonce, recoveryCode}`. */
export function verifySecondFactor(request: ApiRequest, podio: Podio): Answer {
  const parameters = jsonParameters(jsonObject(request));
  const nonce = required(parameters, 'nonce');
  const login = podio.secondFactors.peek(nonce);
  if (login === undefined)
    throw new Refusal(400, 'nonce_validation_error', 'The nonce is invalid or has expired');
  const code = parameters.get('otp') ?? required(parameters, 'recoveryCode');
  if (code !== podio.otp) throw new Refusal(400, 'invalid_second_factor', 'The code is not correct');
  podio.secondFactors.drop(nonce);
  return json(podio.tokens.issue(login));
}

function tokensFor(request: ApiRequest, body: TokenParameters, podio: Podio): Answer {
  const parameters = new Map([...basicCredentials(request.headers), ...body]);
  const client = knownClient(parameters, podio);
  const grantType = required(parameters, 'grant_type');
  const grant = GRANTS.get(grantType);
  if (grant === undefined) {
    throw new Refusal(400, 'unsupported_grant_type', `Unsupported grant type ${grantType}`);
  }
  return json(grant({ client, parameters, podio }));
}

function knownClient(parameters: TokenParameters, podio: Podio): SandboxClient {
  const id = required(parameters, 'client_id', 'invalid_client');
  const client = podio.accounts.clients.find((known) => known.id === id);
  if (client === undefined) throw invalidClient('id');
  const secret = required(parameters, 'client_secret', 'invalid_client');
  if (client.secret !== secret) throw invalidClient('secret');
  return client;
}

function appGrant({ client, parameters, podio }: TokenRequest): TokenResponse {
  const [id, token] = [required(parameters, 'app_id'), required(parameters, 'app_token')];
  const app = podio.accounts.apps.find((known) => known.id === id);
  if (app?.token !== token)
    throw invalidGrant('The app id or the app token is not correct', 'app.invalid.token');
  return podio.tokens.issue(login(client, { type: 'app', id: Number(id) }));
}

function passwordGrant({ client, parameters, podio }: TokenRequest): TokenResponse | SecondFactorNeeded {
  const [username, password] = [required(parameters, 'username'), required(parameters, 'password')];
  const user = podio.accounts.users.find((known) => known.username === username);
  if (user === undefined) throw invalidGrant('No user has this e-mail address', 'user.invalid.username');
  if (user.password !== password) throw invalidGrant('The password is not correct', 'user.invalid.password');
  const granted = login(client, { type: 'user', id: user.id });
  return podio.otp === undefined
    ? podio.tokens.issue(granted)
    : { server_nonce: podio.secondFactors.put(granted) };
}

function codeGrant({ client, parameters, podio }: TokenRequest): TokenResponse {
  const [code, redirectUri] = [required(parameters, 'code'), required(parameters, 'redirect_uri')];
  const granted = podio.codes.peek(code);
  // A code is spent by whoever shows it, the wrong client too (RFC 6749 §4.1.2: MUST NOT use it more than once).
  podio.codes.drop(code);
  if (granted?.redirectUri !== redirectUri || granted.login.clientId !== client.id) throw expiredGrant();
  return podio.tokens.issue(granted.login);
}

function refreshGrant({ client, parameters, podio }: TokenRequest): TokenResponse {
  const tokens = podio.tokens.refresh(required(parameters, 'refresh_token'), client.id);
  if (tokens === undefined) throw expiredGrant();
  return tokens;
}

function login(client: SandboxClient, ref: Ref): Login {
  return { clientId: client.id, ref, scope: 'global:all' };
}

function invalidClient(what: 'id' | 'secret'): Refusal {
  const description = `Sorry, you've supplied an invalid client ${what}.`;
  return new Refusal(400, 'invalid_client', description, { detail: `oauth.client.invalid_${what}` });
}

function invalidGrant(description: string, detail: string): Refusal {
  return new Refusal(400, 'invalid_grant', description, { detail, propagate: true });
}

function expiredGrant(): Refusal {
  return invalidGrant('The grant is invalid, expired or has been used before', 'oauth.grant.expired');
}

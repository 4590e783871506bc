import type { SandboxClient, SandboxUser } from './accounts.ts';
import { type Answer, html } from './answers.ts';
import type { ApiRequest } from './api-request.ts';
import type { Podio } from './podio.ts';
import { formParameters } from './token-parameters.ts';

interface AuthorizeRequest {
  readonly client: SandboxClient;
  readonly redirectUri: string;
  readonly scope: string;
  readonly state: string | undefined;
}

type Parameters = ReadonlyMap<string, string>;

/** `GET /oauth/authorize`: the page that asks whether an API key may act for a user. It works without script. */
export function authorizePage(request: ApiRequest, podio: Podio): Answer {
  const asked = readRequest(new Map(new URLSearchParams(request.query)), podio);
  return typeof asked === 'string' ? faultPage(asked) : html(questionPage(asked, podio.accounts.users));
}

/**
 * `POST /oauth/authorize`: the form of that page; sends the browser back with a code, or with Podio's words for
 * a denial (developers.podio.com/authentication/server_side).
 */
export function decideAuthorization(request: ApiRequest, podio: Podio): Answer {
  const form = formParameters(request);
  const asked = readRequest(form, podio);
  if (typeof asked === 'string') return faultPage(asked);
  if (form.get('decision') !== 'grant') return redirect(asked, DENIAL);
  const user = podio.accounts.users.find(({ id }) => String(id) === form.get('user'));
  if (user === undefined) return faultPage('Nobody was chosen to log in as.');
  const { client, redirectUri, scope } = asked;
  const login = { clientId: client.id, ref: { type: 'user', id: user.id }, scope } as const;
  return redirect(asked, { code: podio.codes.put({ login, redirectUri }) });
}

const DENIAL = {
  error_reason: 'user_denied',
  error: 'access_denied',
  error_description: 'The user denied your request.',
} as const;

/** What is asked for, or what is wrong with the question: then nobody may be redirected (RFC 6749 §4.1.2.1). */
function readRequest(parameters: Parameters, podio: Podio): AuthorizeRequest | string {
  const client = podio.accounts.clients.find(({ id }) => id === parameters.get('client_id'));
  if (client === undefined) return 'No API key has this client_id.';
  const redirectUri = parameters.get('redirect_uri') ?? '';
  if (!isWebUrl(redirectUri)) return 'The redirect_uri is missing or no web address.';
  if ((parameters.get('response_type') ?? 'code') !== 'code') return 'This response_type is not supported.';
  return {
    client,
    redirectUri,
    scope: parameters.get('scope') || 'global:all',
    state: parameters.get('state'),
  };
}

function isWebUrl(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}

function redirect(
  { redirectUri, state }: AuthorizeRequest,
  answer: Readonly<Record<string, string>>,
): Answer {
  const target = new URL(redirectUri);
  const parameters = { ...answer, ...(state !== undefined && { state }) };
  for (const [name, value] of Object.entries(parameters)) target.searchParams.set(name, value);
  return { status: 302, headers: { location: target.href, 'cache-control': 'no-store' }, body: '' };
}

function faultPage(text: string): Answer {
  return html(page('This request cannot be granted', `<p>${escapeHtml(text)}</p>`), 400);
}

function questionPage(asked: AuthorizeRequest, users: readonly SandboxUser[]): string {
  return page(
    `Let “${asked.client.id}” use your account?`,
    `<form method="post" action="/oauth/authorize">
      ${hiddenFields(asked)}
      <p>It asks for <code>${escapeHtml(asked.scope)}</code> and sends you on to
        <code>${escapeHtml(new URL(asked.redirectUri).host)}</code>.</p>
      <p><label>Log in as <select name="user">${users.map(userOption).join('')}</select></label></p>
      <p><button name="decision" value="grant">Grant access</button>
        <button name="decision" value="deny">Deny</button></p>
    </form>`,
  );
}

function hiddenFields({ client, redirectUri, scope, state }: AuthorizeRequest): string {
  const fields = {
    client_id: client.id,
    redirect_uri: redirectUri,
    scope,
    ...(state !== undefined && { state }),
  };
  return Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`)
    .join('\n      ');
}

function userOption({ id, name, username }: SandboxUser): string {
  return `<option value="${id}">${escapeHtml(`${name} (${username})`)}</option>`;
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>Podio sandbox</title>
    <style>body { font: 16px/1.5 system-ui, sans-serif; max-width: 36rem; margin: 4rem auto; padding: 0 1rem }</style>
  </head>
  <body>
    <h1>${escapeHtml(title)}</h1>
    ${content}
    <p><small>This is the sandbox of podio-cli, not Podio.</small></p>
  </body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

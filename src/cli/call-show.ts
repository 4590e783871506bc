import { requestHeaders } from '../client/request-headers.ts';
import { resolveTarget } from '../client/target.ts';
import { type Body, isSource, lengthOf } from '../values/body.ts';
import type { Request, RequestOptions } from './call-request.ts';
import type { Context } from './context.ts';
import { visible, visibleLines, write } from './output.ts';
import { shownHeader, shownPath } from './redact.ts';

/** Prints the request that would be sent, without its token; nothing is sent, and nobody logs in. */
export async function showRequest(context: Context, request: Request): Promise<void> {
  const { origin, path } = resolveTarget(request.path, context.apiUrl());
  const length = lengthOf(request.method, request.body);
  const headers = Object.entries(requestHeaders(request, ''));
  if (length !== undefined) headers.push(['content-length', String(length)]);
  const lines = [
    `${request.method} ${origin}${shownPath(path)}`,
    ...headers.map(([name, value]) => `${name}: ${shownHeader(name, String(value))}`),
  ];
  const { stdout } = context.io;
  const body = shownBody(request.body);
  await write(stdout, `${lines.map(visible).join('\n')}\n`);
  if (body !== '') await write(stdout, `\n${stdout.isTTY ? visibleLines(body) : body}\n`);
}

function shownBody(body: Body | undefined): string {
  return isSource(body) ? `(${body.length} bytes)` : String(body ?? '');
}

/**
 * Prints the request as a line for sh that makes curl send the same. The token is not in it, nor ever in curl's arguments:
 * `podio token --header` brings it over standard input when the line is run.
 */
export async function showCurl(context: Context, options: RequestOptions, request: Request): Promise<void> {
  const { origin, path } = resolveTarget(request.path, context.apiUrl());
  const { authorization, 'user-agent': _, ...headers } = requestHeaders(request, '');
  const body = bodyWords(options, request);
  const named = Object.entries(headers).filter(
    ([name]) => options.form === undefined || name !== 'content-type',
  );
  const words = [
    ...['curl', '-sS', '--globoff', '--path-as-is', '--compressed', '-H', '@-'],
    ...(request.method === 'HEAD' ? ['--head'] : ['-X', request.method]),
    ...named.flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
    ...body,
    origin + path,
  ];
  const line = `${tokenCommand(context)} | ${words.map(quoted).join(' ')}`;
  // Standard input is the token's there; what the caller pipes in comes over another descriptor.
  await write(context.io.stdout, body.includes('@/dev/fd/3') ? `{ ${line}; } 3<&0\n` : `${line}\n`);
}

function tokenCommand({ settings: { as, sessionManager, apiUrl, apiUrlIsNamed } }: Context): string {
  const named = [
    ...(as === undefined ? [] : ['--as', as]),
    ...(sessionManager === undefined ? [] : ['--session-manager', sessionManager]),
    ...(apiUrlIsNamed ? ['--api-url', apiUrl] : []),
  ];
  return ['podio', ...named.map(quoted), 'token', '--header'].join(' ');
}

function bodyWords({ bodyFile, form = [] }: RequestOptions, { method, body }: Request): string[] {
  if (form.length > 0) return form.flatMap(formWords);
  if (bodyFile !== undefined) return ['--data-binary', bodyFile === '-' ? '@/dev/fd/3' : `@${bodyFile}`];
  if (body !== undefined) return ['--data-raw', String(body)];
  // Else curl would leave out the Content-Length of 0, and name a type.
  return ['POST', 'PUT', 'PATCH'].includes(method) ? ['--data-raw', '', '-H', 'content-type:'] : [];
}

// A file's name is added for Podio where the caller left it out, as in the call itself.
function formWords(part: string, _: number, parts: readonly string[]): string[] {
  const [, name = 'source', value = ''] = /^(?:([^=@]+)=)?(.*)$/s.exec(part) ?? [];
  if (!value.startsWith('@')) return ['--form-string', `${name}=${value}`];
  const file = value.slice(1).replace(/;type=[^;]*$/, '');
  const filename = file.split('/').at(-1) ?? file;
  const hasName = name !== 'source' || parts.some((one) => one.startsWith('filename='));
  return ['-F', `${name}=@${file === '-' ? '/dev/fd/3' : part.slice(part.indexOf('@') + 1)}`].concat(
    hasName ? [] : ['--form-string', `filename=${filename}`],
  );
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

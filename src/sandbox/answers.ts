/** What goes back to the caller; `x-podio-request-id` is added on the way out. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** A JSON answer. Podio wraps nothing: lists are bare arrays, single things bare objects. */
export function json(value: unknown, status = 200): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(value),
  };
}

/** 204 without a body: what deletions answer. */
export function noContent(): Answer {
  return { status: 204, headers: {}, body: '' };
}

/** A page that runs no script, loads nothing and may not be framed. */
export function html(page: string, status = 200): Answer {
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    },
    body: page,
  };
}

/** The same answer with more headers; those given win. */
export function withHeaders(answer: Answer, headers: Readonly<Record<string, string>>): Answer {
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

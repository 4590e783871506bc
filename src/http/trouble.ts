import { ConnectionError, Failure, PodioError } from '../errors.ts';

/** Whom a request was for, and how long it was to say nothing. */
export interface Asked {
  readonly origin: string;
  readonly timeoutMs: number;
}

/**
 * Puts what went wrong on the wire into words; none of the request's headers or body gets into them. `wasSent` where the
 * server may have heard of the request.
 */
export function inWords(error: Error, asked: Asked, wasSent = true): Error {
  if (error instanceof Failure || error.name === 'AbortError') return error;
  if (error.name === 'TimeoutError') return timeOut(asked, wasSent);
  const code = 'code' in error ? String(error.code) : '';
  if (code.startsWith('HPE_') || code.startsWith('Z_') || code.startsWith('ERR__ERROR_FORMAT'))
    return notHttp(asked, code);
  const { host } = new URL(asked.origin);
  const [why, hint] = connectionTrouble(code, host);
  return new ConnectionError(why, { hint, isPassing: PASSING.includes(code), wasSent });
}

// What a moment may mend. Not a time-out: whoever allowed so long did not allow three times as long.
const PASSING = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];

function connectionTrouble(code: string, host: string): readonly [why: string, hint: string] {
  if (/CERT|SELF_SIGNED|ISSUER|ERR_TLS/.test(code)) {
    return [
      `the certificate of ${host} could not be verified (${code})`,
      'behind a proxy that opens TLS, name its certificate in NODE_EXTRA_CA_CERTS',
    ];
  }
  return [
    `${TROUBLES[code] ?? 'could not talk to'} ${host}${TROUBLES[code] ? '' : ` (${code || 'unknown trouble'})`}`,
    CHECK,
  ];
}

const CHECK = 'check the network, HTTPS_PROXY and --api-url, then try again';

const TROUBLES: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such host:',
  EAI_AGAIN: 'the name could not be looked up (DNS):',
  ECONNREFUSED: 'nothing answers at',
  ECONNRESET: 'the connection was cut by',
  EPIPE: 'the connection was cut by',
  ETIMEDOUT: 'no answer in time from',
  EHOSTUNREACH: 'no way to',
  ENETUNREACH: 'no network to reach',
};

function timeOut({ origin, timeoutMs }: Asked, wasSent: boolean): ConnectionError {
  const seconds = Math.round(timeoutMs / 100) / 10;
  return new ConnectionError(`${new URL(origin).host} said nothing for ${seconds} s`, {
    hint: 'try again, or wait longer with --timeout SECONDS',
    wasSent,
  });
}

function notHttp({ origin }: Asked, code: string): PodioError {
  return new PodioError(`the answer of ${new URL(origin).host} could not be read (${code})`, {
    status: 0,
    error: '',
    hint: 'is a proxy or another service answering in its place? See --api-url and HTTPS_PROXY',
  });
}

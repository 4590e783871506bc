import { StoreError } from '../../errors.ts';

/** What a Redis can do to us; its own words are not passed on, for they may quote what was sent. */
export type RedisFault = keyof typeof WORDS;

const WORDS = {
  'no-answer': ['did not answer within 3 s', 'see whether it hangs or is overloaded: redis-cli ping'],
  refused: ['could not be reached', 'see that it runs and that the address is right'],
  'no-host': ['could not be found: no such host', 'check the host in its URL'],
  broken: ['broke off the connection', 'see whether it runs; where it wants TLS, write rediss://'],
  'no-tls': ['does not speak TLS', 'write redis:// where it has none'],
  untrusted: [
    'has a certificate that is not trusted',
    'name the file of its CA in NODE_EXTRA_CA_CERTS, as in NODE_EXTRA_CA_CERTS=/etc/ssl/redis-ca.pem',
  ],
  'wrong-name': ['has a certificate for another host', 'write the host as its certificate has it'],
  'no-password': [
    'asks for a password',
    'set REDISCLI_AUTH, or PODIO_SESSION_MANAGER to its URL with the password: redis://:PASSWORD@HOST',
  ],
  'wrong-password': [
    'does not accept the password',
    'check it: REDISCLI_AUTH, or the URL in PODIO_SESSION_MANAGER',
  ],
  'not-allowed': [
    'does not allow this user what is needed',
    'allow it: ACL SETUSER NAME ~podio_cache* ~{podio_cache* +@read +@write +@scripting',
  ],
  replica: ['is a read-only replica', 'name the address of its master, or the sentinels: redis+sentinel://'],
  full: ['is out of memory', 'raise its maxmemory, or remove what it need not keep'],
  'full-disk': ['cannot save to its disk', 'see its log, and free some space there'],
  loading: ['is still loading its data', 'wait until it has, then try again'],
  'wrong-type': [
    'holds something else under this key',
    'choose other keys: ?prefix=NAME at the end of its URL',
  ],
  cluster: ['is part of a cluster', 'write redis+cluster:// in its URL'],
  'no-database': ['has no database of this number', 'check the number at the end of its URL'],
  'no-redis': ['does not speak as Redis does', 'check host and port in its URL'],
  failed: ['failed', 'see its log'],
} as const;

/** How ioredis, Node and Redis put each fault; the first that fits is meant. */
const PATTERNS: readonly (readonly [RegExp, RedisFault])[] = [
  [/NOAUTH/, 'no-password'],
  [
    /WRONGPASS|invalid password|AUTH.*without any password|wrong number of arguments for 'auth'/i,
    'wrong-password',
  ],
  [/NOPERM|can't run this command/, 'not-allowed'],
  [/READONLY/, 'replica'],
  [/\bOOM\b/, 'full'],
  [/MISCONF/, 'full-disk'],
  [/LOADING/, 'loading'],
  [/WRONGTYPE/, 'wrong-type'],
  [/MOVED|CROSSSLOT|cluster support disabled/, 'cluster'],
  [/DB index/, 'no-database'],
  [/ENOTFOUND|EAI_AGAIN/, 'no-host'],
  [/ALTNAME/, 'wrong-name'],
  [/CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)|LEAF_SIGNATURE/, 'untrusted'],
  [/EPROTO|SSL_|WRONG_VERSION|packet length/i, 'no-tls'],
  [/RESP type|Protocol error/i, 'no-redis'],
  [/ETIMEDOUT|timed out/i, 'no-answer'],
  [
    /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENETDOWN|All sentinels|None of startup nodes|Failed to refresh slots/,
    'refused',
  ],
  [/ECONNRESET|EPIPE|Connection is closed|closed the connection|isn't writeable/i, 'broken'],
];

/** Redis could not do it; `fault` tells apart why. */
export class RedisError extends StoreError {
  readonly fault: RedisFault;

  /** `where`: the address, without what is secret. */
  constructor(fault: RedisFault, where: string, key?: string) {
    const [what, hint] = WORDS[fault];
    super(`Redis at ${where} ${what}${key === undefined ? '' : ` (${key})`}`, { hint });
    this.fault = fault;
  }
}

/** Which fault it is that something threw. */
export function faultOf(error: unknown): RedisFault {
  if (error instanceof RedisError) return error.fault;
  const words = wordsOf(error);
  return PATTERNS.find(([pattern]) => pattern.test(words))?.[1] ?? 'failed';
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const code = 'code' in error ? String(error.code) : '';
  const last = 'lastNodeError' in error ? wordsOf(error.lastNodeError) : '';
  return [last, code, error.message].join(' ');
}

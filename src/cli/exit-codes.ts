import {
  ConnectionError,
  Failure,
  InterruptedError,
  NotLoggedInError,
  PodioError,
  RateLimitError,
  StoreError,
  UsageError,
} from '../errors.ts';

/** One way in which a command can end. */
export interface ExitCode {
  readonly exit: number;
  /** The word for it in `--json` errors. */
  readonly code: string;
  readonly meaning: string;
  /** What to do where the error itself does not say. */
  readonly hint?: string;
  /** A command to paste, where what is to be done names none. */
  readonly see?: string;
  readonly fits: (error: unknown) => boolean;
}

const statusIn =
  (...statuses: number[]) =>
  (error: unknown) =>
    error instanceof PodioError && statuses.includes(error.status);

const stoppedBy = (signal: NodeJS.Signals) => (error: unknown) =>
  error instanceof InterruptedError && error.signal === signal;

/** Every exit code there is; of several that fit, the first. `podio help exit-codes` prints this table. */
export const EXIT_CODES: readonly ExitCode[] = [
  { exit: 0, code: 'done', meaning: 'done', fits: () => false },
  {
    exit: 1,
    code: 'fault',
    meaning: 'a fault inside podio',
    hint: 'this should not happen; run again with PODIO_DEBUG=1 and report what it prints',
    fits: (error) => !(error instanceof Failure),
  },
  {
    exit: 2,
    code: 'usage',
    meaning: 'wrong usage or bad input; nothing was sent',
    see: 'podio help COMMAND',
    fits: (error) => error instanceof UsageError,
  },
  {
    exit: 3,
    code: 'not_logged_in',
    meaning: 'not logged in, or Podio refused the credentials or the session',
    hint: 'log in: podio login',
    see: 'podio status',
    fits: (error) => error instanceof NotLoggedInError || statusIn(401)(error),
  },
  {
    exit: 6,
    code: 'rate_limited',
    meaning: 'rate limited (420, 429), the wait being longer than allowed',
    hint: 'try again later',
    see: 'podio limits',
    fits: (error) => error instanceof RateLimitError,
  },
  {
    exit: 9,
    code: 'not_found',
    meaning: 'not found (404, 410)',
    hint: 'check the path and its ids, and who you are, since one sees what one may see: podio status',
    see: 'podio help call',
    fits: statusIn(404, 410),
  },
  {
    exit: 4,
    code: 'refused',
    meaning: 'the API refused the request (other 4xx)',
    hint: 'see what the operation takes: https://developers.podio.com/doc',
    see: 'podio help call',
    fits: (error) => error instanceof PodioError && error.status >= 400 && error.status < 500,
  },
  {
    exit: 5,
    code: 'api_failed',
    meaning: 'the API failed (5xx, or an answer that breaks the protocol)',
    hint: 'try again later; is it Podio that answers? See --api-url and HTTPS_PROXY',
    see: 'podio doctor',
    fits: (error) => error instanceof PodioError,
  },
  {
    exit: 7,
    code: 'unreachable',
    meaning: 'the API could not be reached (DNS, TCP, TLS, proxy, time-out)',
    hint: 'check the network, then try again',
    see: 'podio doctor',
    fits: (error) => error instanceof ConnectionError,
  },
  {
    exit: 8,
    code: 'store',
    meaning: 'trouble with the store: locked, damaged, unsafe mode, unavailable, full',
    hint: 'see podio help storage',
    see: 'podio doctor',
    fits: (error) => error instanceof StoreError,
  },
  {
    exit: 129,
    code: 'hung_up',
    meaning: 'the terminal went away',
    fits: stoppedBy('SIGHUP'),
  },
  {
    exit: 130,
    code: 'interrupted',
    meaning: 'interrupted (^C)',
    fits: stoppedBy('SIGINT'),
  },
  {
    exit: 143,
    code: 'terminated',
    meaning: 'terminated',
    fits: stoppedBy('SIGTERM'),
  },
];

const FAULT = { exit: 1, code: 'fault' };

/** The exit code that an error leads to. */
export function exitCodeOf(error: unknown): Pick<ExitCode, 'exit' | 'code' | 'hint' | 'see'> {
  return EXIT_CODES.find(({ fits }) => fits(error)) ?? FAULT;
}

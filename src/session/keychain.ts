import type { ChildProcessByStdio } from 'node:child_process';
import { basename, dirname, extname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { StoreError } from '../errors.ts';
import type { KeychainAnswer, KeychainFault, KeychainRequest } from './keychain-helper.ts';

/** How to reach the keychain; everything has a default. */
export interface KeychainOptions {
  /** The name under which entries are kept: `podio`. */
  readonly service?: string | undefined;
  /** Tells the way to the user's keychain: `DBUS_SESSION_BUS_ADDRESS`, `HOME` and the like. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** The helper's program: an absolute path. */
  readonly helper?: string | undefined;
}

/** The keychain could not do it; `fault` tells apart why. */
export class KeychainError extends StoreError {
  readonly fault: KeychainFault | 'crashed';

  constructor(fault: KeychainFault | 'crashed') {
    const [message, hint] = WORDS[fault];
    super(message, { hint: `${hint}, or keep sessions in files: podio login --session-manager file` });
    this.fault = fault;
  }
}

const NONE = 'no keychain is available here';

const WORDS: Readonly<Record<KeychainError['fault'], readonly [message: string, hint: string]>> = {
  locked: ['the keychain is locked', `unlock it (${unlocking()})`],
  denied: ['the keychain denied access', 'allow it there'],
  'no-answer': [
    'the keychain did not answer within 3 s',
    'see whether its program hangs or asks for something',
  ],
  crashed: ['the keychain could not be asked: the helper process broke off', 'try again'],
  'no-bus': [`${NONE}: there is no D-Bus session`, 'work in a desktop session or under dbus-run-session'],
  'no-provider': [`${NONE}: no program offers one`, 'start gnome-keyring, KWallet or KeePassXC'],
  'no-keyring': [`${NONE}: it holds no keyring yet`, `make one (${unlocking()})`],
  'no-keytar': [`${NONE}: keytar is not installed`, 'install podio with its optional dependencies'],
  'no-library': [`${NONE}: keytar does not load`, 'install libsecret (apt install libsecret-1-0)'],
  'too-long': ['the keychain takes no entry of this length', 'shorten what is kept'],
  failed: ['the keychain failed', 'look at it with its own program'],
};

function unlocking(): string {
  if (process.platform === 'darwin') return 'security unlock-keychain';
  return process.platform === 'win32'
    ? 'log in to Windows'
    : 'log in to the desktop, or gnome-keyring-daemon --unlock';
}

/** A cold start of a keychain's program can take more than one second; nobody waits for more than three. */
const LIMIT_MS = 3_000;

/** Until the helper runs, and then for a keychain that is slow and shows that it lives: both happen on a busy machine. */
const BUSY_LIMIT_MS = 15_000;

/** So many operations in a row must not take so many times three seconds. */
const REST_MS = 5_000;

/**
 * The keychain of the operating system. Each operation runs in a helper process and ends where it hears nothing for 3 s; what
 * did not answer is not asked again for 5 s. Whatever goes wrong is a KeychainError, never a `null`.
 */
export class Keychain {
  readonly #service: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #helper: string;
  #restUntil = 0;

  constructor({ service = 'podio', env = process.env, helper = besideThisFile() }: KeychainOptions = {}) {
    this.#service = service;
    this.#env = env;
    this.#helper = helper;
  }

  get service(): string {
    return this.#service;
  }

  /** The entry of this account; null where there is surely none. @throws {KeychainError} */
  get(account: string): Promise<string | null> {
    return this.#ask({ operation: 'get', service: this.#service, account });
  }

  /** Writes the entry and reads it back. @throws {KeychainError} */
  async set(account: string, secret: string): Promise<void> {
    await this.#ask({ operation: 'set', service: this.#service, account, secret });
  }

  /** Makes sure that there is no entry. @throws {KeychainError} */
  async delete(account: string): Promise<void> {
    await this.#ask({ operation: 'delete', service: this.#service, account });
  }

  /** Makes sure that an entry can be written, while no other process does so. Leaves nothing behind. @throws {KeychainError} */
  async probe(): Promise<void> {
    await this.#ask({ operation: 'probe', service: this.#service, account: 'podio' });
  }

  async #ask(request: KeychainRequest): Promise<string | null> {
    // `performance` takes a millisecond to be looked at first.
    if (this.#restUntil > 0 && performance.now() < this.#restUntil) throw new KeychainError('no-answer');
    const answer = await converse(await startHelper(this.#helper, this.#env), request);
    if (answer === undefined) throw new KeychainError('crashed');
    if (answer.ok) return answer.secret;
    if (answer.fault === 'no-answer') this.#restUntil = performance.now() + REST_MS;
    throw new KeychainError(answer.fault);
  }
}

// The helper is built to the same folder, in the same form, as this file: .ts, .js in the library, .cjs in the CLI.
function besideThisFile(): string {
  const here = fileURLToPath(import.meta.url);
  return join(dirname(here), `keychain-helper${extname(here)}`);
}

type Helper = ChildProcessByStdio<Writable, Readable, null>;

async function startHelper(helper: string, env: NodeJS.ProcessEnv): Promise<Helper> {
  // Loaded here, because most commands never need a keychain.
  const { spawn } = await import('node:child_process');
  const loader = extname(helper) === '.ts' ? ['--import', 'tsx'] : [];
  return spawn(process.execPath, [...loader, basename(helper)], {
    cwd: dirname(helper),
    env: helperEnv(env),
    stdio: ['pipe', 'pipe', 'ignore'],
    // Out of the terminal's group: Ctrl-C must not end what is being saved.
    detached: true,
    windowsHide: true,
  });
}

/** What leads to the keychain and what the system's own libraries need; nothing that loads code into Node. */
const PASSED_ON = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'LD_LIBRARY_PATH', 'TMPDIR'],
  ...['DBUS_SESSION_BUS_ADDRESS', 'XDG_RUNTIME_DIR', 'XDG_CURRENT_DESKTOP'],
  ...['DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY'],
  ...[
    'SYSTEMROOT',
    'SYSTEMDRIVE',
    'USERPROFILE',
    'USERNAME',
    'USERDOMAIN',
    'APPDATA',
    'LOCALAPPDATA',
    'TEMP',
  ],
]);

function helperEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const passedOn = Object.entries(env).filter(([name]) => PASSED_ON.has(name.toUpperCase()));
  // In English, so that the helper understands what goes wrong.
  return { ...Object.fromEntries(passedOn), LC_ALL: 'C' };
}

/** The helper's answer; `no-answer` where it had to be killed, undefined where it ended without one. */
function converse(helper: Helper, request: KeychainRequest): Promise<KeychainAnswer | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const end = (answer?: KeychainAnswer) => {
      clearTimeout(limit);
      // Its own end takes as long as a start of Node: whoever has the answer does not wait for that.
      helper.unref();
      helper.stdout.destroy();
      helper.stdin.destroy();
      resolve(answer);
    };
    const kill = () => {
      helper.kill('SIGKILL');
      end({ ok: false, fault: 'no-answer' });
    };
    let limit = setTimeout(kill, BUSY_LIMIT_MS);
    let last: number | undefined;
    helper.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const answer = readAnswer(text);
      if (answer !== undefined) return end(answer);
      clearTimeout(limit);
      last ??= performance.now() + BUSY_LIMIT_MS;
      limit = setTimeout(kill, Math.min(LIMIT_MS, last - performance.now()));
    });
    helper.once('error', () => end()).once('close', () => end());
    // Left open until then: its closing tells the helper that this process has died.
    helper.stdin.on('error', () => undefined).write(`${JSON.stringify(request)}\n`);
  });
}

function readAnswer(text: string): KeychainAnswer | undefined {
  try {
    const answer: KeychainAnswer | null = JSON.parse(text);
    return typeof answer?.ok === 'boolean' ? answer : undefined;
  } catch {
    // The parser's words would quote the secret.
    return undefined;
  }
}

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { startKeyring } from '../support/keyring.ts';
import { startTlsServer } from '../support/tls.ts';

/** A command line to be timed, with the whole of its environment. */
export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Which of the stage's sessions podio is to use. */
export interface PodioOptions {
  readonly manager?: 'file' | 'keychain';
  readonly tls?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Nothing of the caller's environment: one variable (NODE_EXTRA_CA_CERTS) can treble the time of a start. */
export const BARE = { PATH: process.env.PATH ?? '' };

const SYSTEM_ROOTS = '/etc/ssl/certs/ca-certificates.crt';

/** Where the programs play: podio installed from its package, a sandbox, sessions with each manager. */
export class Stage implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'podio-bench-'));
  /** A session as a script of one's own keeps it: `{"access_token": …}`. */
  readonly sessionFile = join(this.folder, 'session.json');
  readonly #closers: (() => unknown)[] = [() => rmSync(this.folder, { recursive: true, force: true })];
  readonly #bin = install(this.folder);
  #keyring: Readonly<Record<string, string>> = {};
  #credentials: Readonly<Record<string, string>> = {};
  accessToken = '';
  apiUrl = '';
  tlsUrl = '';
  /** The certificate that the API under https is trusted by. */
  certificate = '';
  /** The same among the system's own, for programs that trust one file. */
  readonly trusted = join(this.folder, 'trusted.pem');
  /** Asks the API, over plain http, for whoever cannot be told its address. */
  proxyUrl = '';

  /** Sets the stage. @throws where podio cannot be packed, installed or logged in. */
  static async set(): Promise<Stage> {
    const stage = new Stage();
    try {
      await stage.#open();
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** podio, installed: its session kept in a file, of the API under http, unless told otherwise. */
  podio(
    name: string,
    args: readonly string[],
    { manager = 'file', tls = false, env }: PodioOptions = {},
  ): Program {
    const home = join(this.folder, tls ? 'tls' : manager);
    const own = {
      ...BARE,
      ...(manager === 'keychain' && this.#keyring),
      ...{ HOME: home, PODIO_DATA_DIR: home, PODIO_API_URL: tls ? this.tlsUrl : this.apiUrl },
      ...(tls && { NODE_EXTRA_CA_CERTS: this.certificate }),
    };
    return { name, command: process.execPath, args: [this.#bin, ...args], env: { ...own, ...env } };
  }

  /** Logs podio in anew. */
  async logIn(options: PodioOptions = {}): Promise<void> {
    const args = ['login', '--app', '--session-manager', options.manager ?? 'file'];
    await said(this.podio('login', args, { ...options, env: { ...this.#credentials, ...options.env } }));
  }

  /** Ends every access token that the sandbox has given. */
  async expire(): Promise<void> {
    const body = JSON.stringify({ what: 'access' });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${this.apiUrl}/sandbox/expire`, { method: 'POST', headers, body });
    if (!answer.ok) throw new Error(`the sandbox answered ${answer.status}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers.reverse()) await close();
  }

  async #open(): Promise<void> {
    const keyring = await startKeyring();
    this.#closers.push(() => keyring.close());
    this.#keyring = withoutUndefined(keyring.env);
    const sandbox = await startSandbox(this.#bin);
    this.#closers.push(sandbox.stop);
    const { PODIO_API_URL: apiUrl = '', ...credentials } = sandbox.env;
    this.apiUrl = apiUrl;
    this.#credentials = credentials;
    await this.#openDoors();
    await this.#logInEverywhere();
  }

  async #openDoors(): Promise<void> {
    const forward = (from: IncomingMessage, to: ServerResponse) => forwardTo(this.apiUrl, from, to);
    const tls = await startTlsServer(this.folder, forward);
    const proxy = createServer(forward).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    this.#closers.push(
      () => tls[Symbol.asyncDispose](),
      () => proxy.close(),
    );
    this.tlsUrl = `https://127.0.0.1:${tls.port}`;
    this.certificate = tls.certificate;
    const roots = existsSync(SYSTEM_ROOTS) ? readFileSync(SYSTEM_ROOTS, 'utf8') : '';
    writeFileSync(this.trusted, `${roots}${readFileSync(tls.certificate, 'utf8')}`);
    this.proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  }

  /** A token that the sandbox takes now. */
  async token(): Promise<string> {
    return (await said(this.podio('token', ['token']))).trim();
  }

  async #logInEverywhere(): Promise<void> {
    for (const options of [{}, { manager: 'keychain' }, { tls: true }] as const) await this.logIn(options);
    this.accessToken = await this.token();
    const session = { access_token: this.accessToken, refresh_token: '', expires_in: 28_800 };
    writeFileSync(this.sessionFile, JSON.stringify(session), { mode: 0o600 });
  }
}

// From the packed file, as a user gets it.
function install(folder: string): string {
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
  const file = execFileSync('npm', pack, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  const prefix = join(folder, 'global');
  mkdirSync(prefix);
  const args = [
    'install',
    '--global',
    '--ignore-scripts',
    '--no-audit',
    '--prefer-offline',
    '--prefix',
    prefix,
  ];
  execFileSync('npm', [...args, join(folder, file)], { stdio: 'ignore' });
  return join(prefix, 'lib/node_modules/podio-cli/bin/podio.js');
}

async function startSandbox(bin: string) {
  const args = [bin, 'sandbox', '--call-limit', '100000000', '--token-limit', '1000000'];
  const child = spawn(process.execPath, args, {
    env: { ...BARE, HOME: '/nowhere' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let words = '';
  for await (const chunk of child.stdout) {
    words += chunk;
    if (/PODIO_PASSWORD=.*\n/.test(words)) break;
  }
  const told = [...words.matchAll(/^export (\w+)='(.*)'$/gm)];
  const env = Object.fromEntries(told.map(([, name = '', value = '']) => [name, value]));
  return { env, stop: () => child.kill() };
}

// Some clients call a token by another word, and write whole addresses to a proxy.
function forwardTo(apiUrl: string, from: IncomingMessage, to: ServerResponse): void {
  const { pathname, search } = new URL(from.url ?? '/', apiUrl);
  const authorization = (from.headers.authorization ?? '').replace(/^(token|bearer) /i, 'OAuth2 ');
  const headers = { ...from.headers, host: new URL(apiUrl).host, ...(authorization && { authorization }) };
  const onward = request(apiUrl, { path: pathname + search, method: from.method, headers }, (answer) => {
    to.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(to);
  });
  from.pipe(onward);
}

/** What a program prints. @throws where it fails. */
export async function said({ name, command, args, env }: Program): Promise<string> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [exit]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  if (exit !== 0) throw new Error(`${name} failed: ${stderr}`);
  return stdout;
}

function withoutUndefined(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** A file beside this one. */
export function beside(name: string): string {
  return resolve(import.meta.dirname, name);
}

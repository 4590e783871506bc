import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How a keyring for a test is to be. */
export interface KeyringOptions {
  /** true: the bus lets nobody talk to the keyring. */
  readonly denied?: boolean | undefined;
}

const PROGRAMS = ['dbus-daemon', 'gdbus', 'gnome-keyring-daemon', 'secret-tool'];
const INSTALL = 'sudo apt-get install -y dbus gnome-keyring libglib2.0-bin libsecret-tools';

/** A real gnome-keyring on a D-Bus session of its own, unlocked and empty, with `env` to reach it. @throws where it is not installed. */
export async function startKeyring(options: KeyringOptions = {}): Promise<Keyring> {
  const missing = PROGRAMS.filter((name) => !isInstalled(name));
  if (missing.length > 0) throw new Error(`this test needs ${missing.join(', ')}: ${INSTALL}`);
  const keyring = new Keyring(options);
  try {
    await keyring.start();
    return keyring;
  } catch (error) {
    await keyring.close();
    throw error;
  }
}

function isInstalled(name: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/** One keyring; made by `startKeyring`. */
export class Keyring {
  /** What a process needs to reach this keyring and no other: HOME, the XDG folders and the D-Bus address. */
  readonly env: NodeJS.ProcessEnv;
  /** All that the keyring keeps lies below; gone with `close`. */
  readonly folder = mkdtempSync(join(tmpdir(), 'podio-keyring-'));
  readonly #options: KeyringOptions;
  #bus: ChildProcess | undefined;
  #daemon: ChildProcess | undefined;

  constructor(options: KeyringOptions) {
    this.#options = options;
    this.env = furnish(this.folder, options);
  }

  /** Starts what is not running: after `crash` too, with the entries as they were. */
  async start(): Promise<void> {
    this.#bus ??= await this.#startBus();
    this.#daemon ??= this.#startDaemon();
    const deadline = performance.now() + 10_000;
    while (!this.#options.denied && !(await this.#isUnlocked())) {
      if (performance.now() > deadline) throw new Error('gnome-keyring-daemon did not start within 10 s');
      await pause(20);
    }
  }

  async lock(): Promise<void> {
    const login = '["/org/freedesktop/secrets/collection/login"]';
    await this.#call('/org/freedesktop/secrets', 'org.freedesktop.Secret.Service.Lock', login);
  }

  /** SIGSTOP: whoever asks waits. */
  stop(): void {
    this.#daemon?.kill('SIGSTOP');
  }

  /** SIGCONT. */
  resume(): void {
    this.#daemon?.kill('SIGCONT');
  }

  /** SIGKILL for the keyring; the D-Bus session stays, and nothing starts another keyring. */
  async crash(): Promise<void> {
    await end(this.#daemon);
    this.#daemon = undefined;
  }

  /** What another program finds; undefined where there is no such entry. */
  async lookup(account: string): Promise<string | undefined> {
    const entry = ['lookup', 'service', 'podio', 'account', account];
    const found = await run('secret-tool', entry, { env: this.env }).catch(() => undefined);
    return found?.stdout;
  }

  /** Removes an entry as another program does. */
  async remove(account: string): Promise<void> {
    await run('secret-tool', ['clear', 'service', 'podio', 'account', account], { env: this.env });
  }

  /** How many entries there are, whoever wrote them. */
  async count(): Promise<number> {
    const items = ['org.freedesktop.Secret.Collection', 'Items'];
    const answer = await this.#call(LOGIN, 'org.freedesktop.DBus.Properties.Get', ...items);
    return answer.match(/collection\/login\/\d+/g)?.length ?? 0;
  }

  /** Ends all processes and removes all files. */
  async close(): Promise<void> {
    await this.crash();
    this.#bus?.stdin?.end();
    if (this.#bus?.exitCode === null) await once(this.#bus, 'exit');
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #startBus(): Promise<ChildProcess> {
    // The shell ends the bus when its own input closes, so also when this process is killed.
    const script = 'dbus-daemon --nofork --print-address --config-file="$1" & cat >/dev/null; kill $!; wait';
    const config = join(this.folder, 'bus.conf');
    const bus = spawn('sh', ['-c', script, 'sh', config], {
      env: this.env,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    await Promise.race([once(bus.stdout, 'data'), once(bus, 'exit')]);
    return bus;
  }

  #startDaemon(): ChildProcess {
    const how = ['--foreground', '--unlock', '--components=secrets'];
    const daemon = spawn('gnome-keyring-daemon', how, { env: this.env, stdio: ['pipe', 'ignore', 'ignore'] });
    daemon.stdin?.end('the password of a test keyring');
    return daemon;
  }

  async #isUnlocked(): Promise<boolean> {
    const locked = ['org.freedesktop.Secret.Collection', 'Locked'];
    const answer = this.#call(LOGIN, 'org.freedesktop.DBus.Properties.Get', ...locked);
    return (await answer.catch(() => '')).includes('false');
  }

  async #call(path: string, method: string, ...parameters: string[]): Promise<string> {
    const target = ['call', '--session', '--dest', 'org.freedesktop.secrets', '--object-path', path];
    const { stdout } = await run('gdbus', [...target, '--method', method, ...parameters], { env: this.env });
    return stdout;
  }
}

const LOGIN = '/org/freedesktop/secrets/collection/login';

/** Makes the folders and the bus's configuration; answers the environment that leads there, without a display. */
function furnish(folder: string, { denied = false }: KeyringOptions): NodeJS.ProcessEnv {
  for (const name of ['home', 'run', 'data', 'services']) mkdirSync(join(folder, name), { mode: 0o700 });
  writeFileSync(join(folder, 'bus.conf'), busConfig(folder, denied));
  // The program that asks for passwords can be started, as on a desktop: without a display it makes the trouble.
  if (existsSync(PROMPTER)) copyFileSync(PROMPTER, join(folder, 'services', basename(PROMPTER)));
  return {
    PATH: process.env.PATH,
    HOME: join(folder, 'home'),
    XDG_DATA_HOME: join(folder, 'data'),
    XDG_RUNTIME_DIR: join(folder, 'run'),
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(folder, 'run', 'bus')}`,
  };
}

const PROMPTER = '/usr/share/dbus-1/services/org.gnome.keyring.SystemPrompter.service';

function busConfig(folder: string, denied: boolean): string {
  const deny = denied ? '<deny send_destination="org.freedesktop.secrets"/>' : '';
  return `<busconfig>
    <type>session</type>
    <listen>unix:path=${join(folder, 'run', 'bus')}</listen>
    <servicedir>${join(folder, 'services')}</servicedir>
    <policy context="default">
      <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>${deny}
    </policy>
  </busconfig>`;
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

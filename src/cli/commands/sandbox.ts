import { constants } from 'node:os';
import type { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import { environment, type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/sandbox.ts';
import { parseJsonObject } from '../../values/json.ts';
import type { Environment } from '../../values/places.ts';
import type { Context } from '../context.ts';
import { LOGIN_VARIABLES } from '../environment.ts';
import { readTextFile } from '../input.ts';
import type { Io } from '../io.ts';
import { say, visible, write, writeJson } from '../output.ts';
import type { CommandModule } from './command.ts';

interface SandboxCommandOptions {
  readonly port?: string;
  readonly expiresIn?: string;
  readonly endFamily?: boolean;
  readonly callLimit?: string;
  readonly tokenLimit?: string;
  readonly waitSeconds?: string;
  readonly secondFactor?: string;
  readonly accounts?: string;
}

export const sandbox: CommandModule<SandboxCommandOptions> = {
  declare: (command: Command) =>
    command
      .usage('[options] [-- COMMAND [ARG…]]')
      .argument('[command...]', "runs with PODIO_API_URL and the sandbox's credentials in its environment")
      .option('--port <n>', 'listen on this port; a free one by default')
      .option('--expires-in <seconds>', 'how long access tokens last (28800)')
      .option('--end-family', 'a refresh token that comes back used ends every token of its login')
      .option('--call-limit <n>', 'calls in an hour until 420 (1000)')
      .option('--token-limit <n>', 'token requests in an hour until 420')
      .option('--wait-seconds <n>', 'the length of that hour (3600)')
      .option('--second-factor <code>', 'ask for this code at password logins')
      .option('--accounts <file>', 'JSON with clients, apps and users in place of the usual ones')
      .addHelpText('after', EXAMPLES),

  async run(context: Context, options: SandboxCommandOptions, command: readonly string[]): Promise<number> {
    await using running = await startSandbox(await sandboxOptions(options));
    const [file, ...args] = command;
    return await (file === undefined ? serve(context, running) : runChild(context.io, running, file, args));
  },
};

const EXAMPLES = `
The sandbox is an offline Podio on 127.0.0.1, as strict as the real one is known to be. It forgets
everything when it ends. Item 123 of app 123456 is there from the start.

Examples:
  podio sandbox -- sh -c 'podio login --app && podio call GET /item/123'
  podio sandbox --port 4000          # until ^C; prints what to put in the environment`;

async function sandboxOptions(options: SandboxCommandOptions): Promise<SandboxOptions> {
  const number = (text: string | undefined, option: string) =>
    text === undefined ? undefined : readNumber(text, option);
  const given = {
    port: number(options.port, '--port'),
    expiresIn: number(options.expiresIn, '--expires-in'),
    endFamilyOnReplay: options.endFamily,
    callLimit: number(options.callLimit, '--call-limit'),
    tokenLimit: number(options.tokenLimit, '--token-limit'),
    waitSeconds: number(options.waitSeconds, '--wait-seconds'),
    otp: options.secondFactor,
    accounts: options.accounts === undefined ? undefined : await readAccounts(options.accounts),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function readNumber(text: string, option: string): number {
  const number = Number(text);
  if (text.trim() !== '' && number >= 0 && Number.isFinite(number)) return number;
  throw new UsageError(`${option} takes a number, not "${text}"`);
}

async function readAccounts(file: string): Promise<Record<string, unknown>> {
  const accounts = parseJsonObject(await readTextFile(file, '--accounts'));
  if (accounts !== undefined) return accounts;
  throw new UsageError(`--accounts: ${file} is not a JSON object`, {
    hint: 'as in {"apps":[{"id":"1","token":"…"}]}; the kinds are clients, apps and users',
  });
}

async function serve({ io, settings }: Context, running: Sandbox): Promise<never> {
  const lines = Object.entries(environment(running)).map(
    ([name, value]) => `export ${name}=${quoted(value)}\n`,
  );
  if (settings.json) await writeJson(io, environment(running));
  else await write(io.stdout, lines.join(''));
  if (!settings.json) say(io, `The sandbox listens at ${running.url} until ^C.`);
  return new Promise((_, reject) => {
    if (io.signal.aborted) reject(io.signal.reason);
    io.signal.addEventListener('abort', () => reject(io.signal.reason), {
      once: true,
    });
  });
}

function without(names: readonly string[], env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));
}

function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

async function runChild(io: Io, running: Sandbox, file: string, args: readonly string[]): Promise<number> {
  const { execa } = await import('execa');
  // The sandbox tells whoever asks what it saw: the user's own login has no business there.
  const env = { ...without(LOGIN_VARIABLES, io.env), ...environment(running) };
  const child = execa(file, args, {
    stdio: 'inherit',
    env,
    extendEnv: false,
    reject: false,
    // It would end us by the signal that we pass on, before the command has ended.
    cleanup: false,
  });
  // A ^C at the terminal reaches the child by itself; what was sent to us alone is passed on.
  const passOn = () => {
    const { signal } = io.signal.reason;
    if (signal !== 'SIGINT' || !io.stdin.isTTY) child.kill(signal);
  };
  io.signal.addEventListener('abort', passOn, { once: true });
  const { exitCode, signal, code } = await child;
  if (signal !== undefined) return 128 + constants.signals[signal];
  if (exitCode !== undefined) return exitCode;
  say(io, visible(`podio: cannot run ${file} (${code ?? 'unknown trouble'})`));
  say(io, 'hint: check that it is there and may be run: command -v NAME, ls -l FILE');
  return code === 'ENOENT' ? 127 : 126;
}

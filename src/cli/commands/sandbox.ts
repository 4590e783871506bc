import type { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import { environment, type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/sandbox.ts';
import { parseJsonObject } from '../../values/json.ts';
import { runChild } from '../child.ts';
import type { Context } from '../context.ts';
import { readTextFile } from '../input.ts';
import type { Io } from '../io.ts';
import { readNumber } from '../numbers.ts';
import { say, write, writeJson } from '../output.ts';
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
    await using running = await startSandbox(await sandboxOptions(context.io, options));
    const [file, ...args] = command;
    return await (file === undefined
      ? serve(context, running)
      : // The sandbox tells whoever asks what it saw: the user's own login has no business there.
        runChild(context.io, { file, args, env: environment(running) }));
  },
};

const EXAMPLES = `
The sandbox is an offline Podio on 127.0.0.1, as strict as the real one is known to be. It forgets
everything when it ends. Item 123 of app 123456 is there from the start.

Examples:
  podio sandbox -- sh -c 'podio login --app && podio call GET /item/123'
  podio sandbox --port 4000          # until ^C; prints what to put in the environment`;

async function sandboxOptions(io: Io, options: SandboxCommandOptions): Promise<SandboxOptions> {
  const number = (text: string | undefined, option: string, most = Number.MAX_SAFE_INTEGER) =>
    readNumber(text, option, { least: 0, most });
  const given = {
    port: number(options.port, '--port', 65_535),
    expiresIn: number(options.expiresIn, '--expires-in'),
    endFamilyOnReplay: options.endFamily,
    callLimit: number(options.callLimit, '--call-limit'),
    tokenLimit: number(options.tokenLimit, '--token-limit'),
    waitSeconds: number(options.waitSeconds, '--wait-seconds'),
    otp: options.secondFactor,
    accounts: options.accounts === undefined ? undefined : await readAccounts(io, options.accounts),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

async function readAccounts(io: Io, file: string): Promise<Record<string, unknown>> {
  const accounts = parseJsonObject(await readTextFile(io, file, '--accounts'));
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

function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}

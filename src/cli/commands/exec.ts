import type { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import { formatAuthType } from '../../values/identity.ts';
import { runChild } from '../child.ts';
import type { Context } from '../context.ts';
import { readNumber } from '../numbers.ts';
import type { CommandModule } from './command.ts';

interface ExecOptions {
  readonly minTtl?: string;
  readonly json?: boolean;
}

// What Podio's longest operations and a script of some minutes need; a token lasts eight hours.
const MIN_TTL_SECONDS = 300;

export const exec: CommandModule<ExecOptions> = {
  declare: (command: Command) =>
    command
      .usage('[options] -- COMMAND [ARG…]')
      .argument('[command...]', 'runs with an access token in its environment')
      .option('--min-ttl <seconds>', 'how long the token lasts at least (300)')
      .addHelpText('after', EXAMPLES),

  async run(context: Context, { minTtl, json }: ExecOptions, command: readonly string[]): Promise<number> {
    const [file, ...args] = command;
    if (json) throw new UsageError('exec prints nothing of its own and takes no --json');
    if (file === undefined)
      throw new UsageError('exec runs a command, and none was given', {
        hint: 'name it after --, as in: podio exec -- php import.php',
      });
    const seconds = readNumber(minTtl, '--min-ttl', { least: 0, most: 86_400 }) ?? MIN_TTL_SECONDS;
    return runChild(context.io, { file, args, env: await tokenVariables(context, seconds) });
  },
};

const EXAMPLES = `
COMMAND finds PODIO_ACCESS_TOKEN, PODIO_API_URL and PODIO_IDENTITY in its environment; the API key, app token and
password are taken out of it. The token is renewed first where it would not last. Signals are passed on, and podio
ends with COMMAND's exit code (126: not runnable, 127: not found).

Examples:
  podio exec -- sh -c 'curl -s -H "Authorization: OAuth2 $PODIO_ACCESS_TOKEN" "$PODIO_API_URL/item/123"'
  podio exec --as ada --min-ttl 3600 -- php import.php`;

async function tokenVariables(context: Context, minTtlSeconds: number): Promise<Record<string, string>> {
  const client = await context.client();
  const { accessToken } = await client.session(minTtlSeconds);
  const variables = { PODIO_ACCESS_TOKEN: accessToken, PODIO_API_URL: context.apiUrl() };
  // A token that somebody set tells nothing of whose it is.
  if (context.io.env.PODIO_ACCESS_TOKEN) return variables;
  return { ...variables, PODIO_IDENTITY: formatAuthType(context.identity()) };
}

import type { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { write } from '../output.ts';
import type { CommandModule } from './command.ts';

interface TokenOptions {
  readonly header?: boolean;
  readonly json?: boolean;
}

export const token: CommandModule<TokenOptions> = {
  declare: (command: Command) =>
    command
      .option('--header', 'print a whole header: Authorization: OAuth2 …')
      .addHelpText('after', EXAMPLES),

  async run(context: Context, { header, json }: TokenOptions): Promise<undefined> {
    if (json)
      throw new UsageError('token prints one line and takes no --json', {
        hint: 'to see when it ends: podio status --json',
      });
    const { accessToken } = await (await context.client()).session();
    await write(context.io.stdout, `${header ? 'Authorization: OAuth2 ' : ''}${accessToken}\n`);
  },
};

const EXAMPLES = `
The token is renewed first where it is due. It is a secret: whoever has it can act as you until it ends.

Examples:
  curl -H @<(podio token --header) https://api.podio.com/item/123`;

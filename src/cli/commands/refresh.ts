import type { Command } from 'commander';
import { formatAuthType } from '../../values/identity.ts';
import { expiresAt } from '../../values/podio-oauth.ts';
import type { Context } from '../context.ts';
import { write, writeJson } from '../output.ts';
import type { CommandModule } from './command.ts';

export const refresh: CommandModule = {
  declare: (command: Command) =>
    command.addHelpText(
      'after',
      '\nCalls renew the session by themselves; this is for whoever wants it done now.',
    ),

  async run(context: Context): Promise<undefined> {
    const identity = context.identity();
    const { client } = await context.clientFor(identity);
    const expires_at = new Date(expiresAt(await client.refreshAccessToken())).toISOString();
    if (context.settings.json)
      await writeJson(context.io, {
        identity: formatAuthType(identity),
        expires_at,
      });
    else await write(context.io.stdout, `${expires_at}\n`);
  },
};

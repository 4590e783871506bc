import type { Command } from 'commander';
import { NotLoggedInError } from '../../errors.ts';
import { formatAuthType } from '../../values/identity.ts';
import { expiresAt, isEmpty } from '../../values/podio-oauth.ts';
import type { Context } from '../context.ts';
import { write, writeJson } from '../output.ts';
import { withSpinner } from '../spinner.ts';
import type { CommandModule } from './command.ts';

export const refresh: CommandModule = {
  declare: (command: Command) => command.addHelpText('after', NOTES),

  async run(context: Context): Promise<undefined> {
    const identity = context.identity();
    const { client } = await context.clientFor(identity);
    // Only calls and token log in by themselves.
    if (isEmpty(await client.stored())) {
      const who = formatAuthType(identity);
      throw new NotLoggedInError(`no session is stored for ${who}`, { hint: 'log in: podio login' });
    }
    const oauth = await withSpinner(context.io, 'Renewing the session', () => client.refreshAccessToken());
    const expires_at = new Date(expiresAt(oauth)).toISOString();
    if (context.settings.json)
      await writeJson(context.io, {
        identity: formatAuthType(identity),
        expires_at,
      });
    else await write(context.io.stdout, `${expires_at}\n`);
  },
};

const NOTES = `
Calls renew the session by themselves; this is for whoever wants it done now.

Examples:
  podio refresh
  podio refresh --as ada --json`;

import type { Command } from 'commander';
import { Failure, NotLoggedInError, UsageError } from '../../errors.ts';
import { label } from '../../session/register.ts';
import { formatAuthType } from '../../values/identity.ts';
import { quoted } from '../../values/quoted.ts';
import type { Context, MeantIdentity } from '../context.ts';
import { environmentKey } from '../environment.ts';
import { done, say, visible, writeJson } from '../output.ts';
import { withSpinner } from '../spinner.ts';
import type { CommandModule } from './command.ts';

interface LogoutOptions {
  readonly all?: boolean;
  readonly revoke?: boolean;
}

/** What became of one session. */
interface Outcome {
  readonly identity: string;
  readonly api_url: string;
  readonly revoked: boolean;
  readonly default_now: string | undefined;
}

export const logout: CommandModule<LogoutOptions> = {
  declare: (command: Command) =>
    command
      .argument('[identity]', 'whom; the default where it is left out')
      .option('--all', 'every identity, at every API')
      .option('--revoke', 'end the grant at Podio as well')
      .addHelpText('after', NOTES),

  async run(context: Context, options: LogoutOptions, [text]: readonly string[]): Promise<undefined> {
    if (options.all && text !== undefined)
      throw new UsageError('logout takes an identity or --all, not both');
    const identities = options.all ? context.everybody() : meant(context, text);
    const { outcomes, trouble } = await withSpinner(context.io, 'Logging out', () =>
      forgetAll(context, identities, options.revoke ?? false),
    );
    await tell(context, outcomes);
    if (trouble !== undefined) throw trouble;
    if (outcomes.length === 0 && !context.settings.json) sayNobody(context, text);
  },
};

const NOTES = `
Without --revoke the tokens stay good until they end by themselves, should somebody have a copy.

Examples:
  podio logout
  podio logout app:123456 --revoke
  podio logout --all`;

function sayNobody(context: Context, text: string | undefined): void {
  const meant = text && context.guess(text);
  const guess = meant ? ` Did you mean podio logout ${quoted(meant)}?` : '';
  const isNobody = text === undefined || context.register.list().length === 0;
  say(context.io, isNobody ? 'Nobody is logged in.' : visible(`"${text}" is not logged in.${guess}`));
}

// One that cannot be forgotten does not keep the others.
async function forgetAll(context: Context, identities: readonly MeantIdentity[], revoke: boolean) {
  const outcomes: Outcome[] = [];
  let trouble: Failure | undefined;
  for (const identity of identities) {
    const outcome = await forget(context, identity, revoke).catch(failed);
    if (outcome instanceof Failure) trouble ??= outcome;
    else if (outcome !== undefined) outcomes.push(outcome);
  }
  return { outcomes, trouble };
}

// To be logged out is what was asked for: not to have been logged in is no failure.
function meant(context: Context, text: string | undefined): MeantIdentity[] {
  try {
    return [context.identity(text)];
  } catch (error) {
    if (error instanceof NotLoggedInError) return [];
    throw error;
  }
}

async function forget(
  context: Context,
  identity: MeantIdentity,
  revoke: boolean,
): Promise<Outcome | undefined> {
  const keepers = await context.keepers(identity);
  // Named by the environment alone, and never used.
  if (keepers.length === 0) return undefined;
  const revoking = revoke ? await endGrant(context, identity, keepers) : undefined;
  await context.forget(identity);
  const next = await context.register.remove(identity);
  if (revoking) throw notRevoked(identity, revoking);
  return {
    identity: formatAuthType(identity),
    api_url: identity.apiUrl,
    revoked: revoke,
    default_now: next && label(next),
  };
}

// A session that Podio no longer takes has no grant left to end.
async function endGrant(context: Context, identity: MeantIdentity, [manager = '']: readonly string[]) {
  const clientSecret = environmentKey(context.io.env, identity.clientId);
  const client = await context.newClient({ identity, manager, clientSecret });
  const trouble = await client.revoke().then(() => undefined, failed);
  return trouble instanceof NotLoggedInError ? undefined : trouble;
}

function failed(error: unknown): Failure {
  if (error instanceof Failure) return error;
  throw error;
}

// Forgotten here all the same: a session that nobody wants is not kept because Podio could not be told.
function notRevoked(identity: MeantIdentity, error: Failure): Failure {
  const who = formatAuthType(identity);
  error.message = `${who} is logged out here, but its grant was not ended at Podio: ${error.message}`;
  return error;
}

async function tell({ io, settings }: Context, outcomes: readonly Outcome[]): Promise<void> {
  if (settings.json) return writeJson(io, outcomes);
  for (const { identity, revoked, default_now } of outcomes) {
    done(io, `Logged out ${identity}${revoked ? '; its grant at Podio has ended' : ''}.`);
    if (default_now !== undefined) say(io, `The default is now ${visible(default_now)}.`);
  }
}

import type { Command } from 'commander';
import { NotLoggedInError, UsageError } from '../../errors.ts';
import { type KnownIdentity, label } from '../../session/register.ts';
import { formatAuthType, isSameIdentity } from '../../values/identity.ts';
import { quoted } from '../../values/quoted.ts';
import type { Context } from '../context.ts';
import { done, visible, writeJson } from '../output.ts';
import { choose, isInteractive } from '../prompt.ts';
import type { CommandModule } from './command.ts';

export const switchCommand: CommandModule = {
  declare: (command: Command) =>
    command
      .argument('[identity]', 'a name, or app:ID, password:EMAIL; of two, the other one where it is left out')
      .addHelpText('after', NOTES),

  async run(context: Context, _options: object, [text]: readonly string[]): Promise<undefined> {
    const chosen = text === undefined ? await otherThanNow(context) : named(context, text);
    if (context.register.get(chosen) === undefined) await context.register.add(chosen);
    await context.register.choose(chosen);
    const identity = formatAuthType(chosen);
    if (context.settings.json)
      await writeJson(context.io, {
        identity,
        name: chosen.name,
        api_url: chosen.apiUrl,
      });
    else done(context.io, `The default at ${chosen.apiUrl} is now ${inFull(chosen)}.`);
  },
};

const NOTES = `
One command alone takes another identity with --as IDENTITY or PODIO_AS.

Examples:
  podio switch ada
  podio switch app:123456`;

function named(context: Context, text: string): KnownIdentity {
  const found = context.known(text);
  if (found !== undefined) return found;
  const meant = context.guess(text);
  throw new NotLoggedInError(`not logged in as "${text}"`, {
    hint: meant ? `did you mean podio switch ${quoted(meant)}` : listed(here(context)),
  });
}

async function otherThanNow(context: Context): Promise<KnownIdentity> {
  const all = here(context);
  const now = context.register.default(context.settings.apiUrl);
  const others = all.filter((known) => now === undefined || !isSameIdentity(known, now));
  const [only, ...more] = others.length > 0 ? others : all;
  if (only === undefined)
    throw new NotLoggedInError('nobody is logged in', {
      hint: 'log in: podio login',
    });
  if (more.length === 0) return only;
  const { io, settings } = context;
  if (!settings.mayAsk || !isInteractive(io)) throw new UsageError('which identity?', { hint: listed(all) });
  const answers = all.map((known) => ({
    value: formatAuthType(known),
    label: visible(label(known)),
  }));
  const answer = await choose(io, 'Which identity is to be the default?', answers);
  return all.find((known) => formatAuthType(known) === answer) ?? only;
}

function here({ register, settings }: Context): KnownIdentity[] {
  return register.list().filter(({ apiUrl }) => apiUrl === settings.apiUrl);
}

function listed(known: readonly KnownIdentity[]): string {
  if (known.length === 0) return 'log in: podio login';
  return known.map((one) => `podio switch ${quoted(label(one))}`).join(', or ');
}

function inFull(known: KnownIdentity): string {
  const identity = formatAuthType(known);
  return label(known) === identity ? identity : `${label(known)} (${identity})`;
}

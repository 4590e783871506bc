import type { Command } from 'commander';
import { NotLoggedInError } from '../../errors.ts';
import { atOnce } from '../../values/at-once.ts';
import type { AuthType } from '../../values/session-manager.ts';
import { markFor } from '../color.ts';
import type { Context, MeantIdentity } from '../context.ts';
import { type IdentityReport, isDefault, reportOn } from '../identity-report.ts';
import type { Io } from '../io.ts';
import { visible, warn, write, writeJson } from '../output.ts';
import { inRows, type Row, rowOf } from '../rows.ts';
import { withSpinner } from '../spinner.ts';
import { inWords } from '../time.ts';
import type { CommandModule } from './command.ts';

interface StatusOptions {
  readonly offline?: boolean;
}

const MOST_AT_ONCE = 8;

const NOTES = `
The exit code is 0 only when the default (or the identity named) can be used.

With --json, a list of objects; what is not known is left out, times are ISO 8601 in UTC:
  identity, type, name, default    app:123456; app, password or authorization_code; its short name; whether it is the default
  who                              what Podio calls the app or the user
  api_url, client_id               whose session it is: the API and the API key
  session_manager, place           what keeps the session, and where
  access_ends_at, refresh_ends_at  when the access token ends, and when it can no longer be renewed
  checked, usable                  whether Podio was asked, and whether a call would work
  problem, hint, exit              what is wrong, what to type, and the exit code that it stands for

Examples:
  podio status
  podio status ada --offline
  podio status --json`;

export const status: CommandModule<StatusOptions> = {
  declare: (command: Command) =>
    command
      .argument('[identity]', 'only this one; all of them where it is left out')
      .option('--offline', 'tell what is stored, without asking the API')
      .addHelpText('after', NOTES),

  async run(
    context: Context,
    { offline = false }: StatusOptions,
    [text]: readonly string[],
  ): Promise<number> {
    const { io, settings } = context;
    if (io.env.PODIO_ACCESS_TOKEN) warn(io, 'PODIO_ACCESS_TOKEN is set: call uses it and no session');
    const { identities, trouble } = identitiesToShow(context, text);
    const reports = await withSpinner(io, 'Asking Podio', () =>
      atOnce(MOST_AT_ONCE, identities, (identity) => reportOn(context, identity, offline)),
    );
    if (settings.json) await writeJson(io, reports);
    else await writeBlocks(io, reports);
    // That there is no default is said once the others are shown.
    if (trouble !== undefined) throw trouble;
    return reports[0]?.exit ?? 0;
  },
};

interface ToShow {
  readonly identities: readonly MeantIdentity[];
  readonly trouble?: NotLoggedInError;
}

function identitiesToShow(context: Context, text: string | undefined): ToShow {
  if (text !== undefined || context.settings.as !== undefined)
    return { identities: [context.identity(text)] };
  const known = context.everybody();
  const first = known.find((identity) => isDefault(context, identity));
  if (first !== undefined) return { identities: [first, ...known.filter((identity) => identity !== first)] };
  try {
    return { identities: [context.identity(), ...known] };
  } catch (trouble) {
    if (!(trouble instanceof NotLoggedInError)) throw trouble;
    return { identities: known, trouble };
  }
}

async function writeBlocks(io: Io, reports: readonly IdentityReport[]): Promise<void> {
  const blocks: string[] = [];
  for (const report of reports) blocks.push(await block(report, io));
  if (blocks.length > 0) await write(io.stdout, `${blocks.join('\n\n')}\n`);
}

const HOW: Readonly<Record<AuthType['type'], string>> = {
  app: 'as an app',
  password: 'as a user, with a password',
  authorization_code: 'as a user, in the browser',
};

async function block(report: IdentityReport, io: Io): Promise<string> {
  const { identity, name, type, client_id, hint } = report;
  const title = `${identity}${name ? ` (${name})` : ''}${report.default ? ', the default' : ''}`;
  const rows: (Row | undefined)[] = [
    report.who === undefined ? undefined : rowOf('who', report.who),
    rowOf('how', `${HOW[type]}, with the API key ${client_id}`),
    rowOf('API', report.api_url),
    rowOf('session', report.place ?? 'nowhere'),
    until('access', report.access_ends_at, io),
    until('renewable', report.refresh_ends_at, io),
    { name: 'state', text: stateOf(report, io) },
    hint === undefined ? undefined : { ...rowOf('hint', hint), isWhole: true },
  ];
  const shown = rows.filter((row) => row !== undefined);
  return `${visible(title)}\n${await inRows(shown, io.stdout)}`;
}

function until(name: string, time: string | undefined, io: Io): Row | undefined {
  if (time === undefined) return undefined;
  const word = Date.parse(time) > io.now() ? 'until' : 'ended';
  return rowOf(name, `${word} ${inWords(time, io.now())}`);
}

function stateOf({ usable, checked, problem }: IdentityReport, io: Io): string {
  const mark = markFor(usable ? 'done' : 'failed', io, io.stdout);
  if (!usable) return `${mark} ${visible(problem ?? 'cannot be used')}`;
  return `${mark} ${checked ? 'Podio accepts it' : 'can be used, as far as is known here'}`;
}

import type { Command } from 'commander';
import { failureOf } from '../../client/failures.ts';
import type { PodioClient } from '../../client/podio-client.ts';
import { Failure, NotLoggedInError } from '../../errors.ts';
import { readWhole } from '../../http/decoding.ts';
import { formatAuthType } from '../../values/identity.ts';
import { expiresAt, isEmpty, isUsable, type PodioOAuth, refreshEndsAt } from '../../values/podio-oauth.ts';
import type { Context, MeantIdentity } from '../context.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { visible, warn, write, writeJson } from '../output.ts';
import { inWords } from '../time.ts';
import type { CommandModule } from './command.ts';

interface StatusOptions {
  readonly offline?: boolean;
}

/** What is known of one identity; `--json` prints it as it is. Times are ISO 8601, UTC. */
interface Report {
  readonly identity: string;
  readonly name: string | undefined;
  readonly default: boolean;
  readonly api_url: string;
  readonly client_id: string;
  readonly session_manager: string;
  readonly place: string | undefined;
  readonly access_ends_at: string | undefined;
  readonly refresh_ends_at: string | undefined;
  /** Whether a call would work, as far as was asked. */
  readonly usable: boolean;
  readonly checked: boolean;
  readonly problem: string | undefined;
  readonly hint: string | undefined;
  readonly exit: number;
}

export const status: CommandModule<StatusOptions> = {
  declare: (command: Command) =>
    command
      .argument('[identity]', 'only this one; all of them where it is left out')
      .option('--offline', 'tell what is stored, without asking the API')
      .addHelpText(
        'after',
        '\nThe exit code is 0 only when the default (or the identity named) can be used.',
      ),

  async run(
    context: Context,
    { offline = false }: StatusOptions,
    [text]: readonly string[],
  ): Promise<number> {
    if (context.io.env.PODIO_ACCESS_TOKEN)
      warn(context.io, 'PODIO_ACCESS_TOKEN is set: call uses it and no session');
    const reports: Report[] = [];
    for (const identity of identitiesToShow(context, text))
      reports.push(await reportOn(context, identity, offline));
    const { io, settings } = context;
    if (settings.json) await writeJson(io, reports);
    else await write(io.stdout, `${reports.map((report) => block(report, io.now())).join('\n\n')}\n`);
    return reports[0]?.exit ?? 0;
  },
};

function identitiesToShow(context: Context, text: string | undefined): MeantIdentity[] {
  if (text !== undefined || context.settings.as !== undefined) return [context.identity(text)];
  const known = context.register.list();
  const first = known.find((identity) => isDefault(context, identity));
  if (first === undefined) return [context.identity(), ...known];
  return [first, ...known.filter((identity) => identity !== first)];
}

function isDefault({ register, settings }: Context, identity: MeantIdentity): boolean {
  return identity.apiUrl === settings.apiUrl && register.isDefault(identity);
}

async function reportOn(context: Context, identity: MeantIdentity, offline: boolean): Promise<Report> {
  const about = aboutOf(context, identity);
  const found: { place?: string; oauth?: PodioOAuth } = {};
  try {
    const { client } = await context.clientFor(identity);
    found.place = client.place;
    found.oauth = await client.stored();
    checkStored(found.oauth, context.io.now());
    if (!offline) found.oauth = await asked(client);
    return { ...about, ...placeAndEnds(found), ...FINE, checked: !offline };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ...about, ...placeAndEnds(found), ...troubleOf(error), checked: !offline };
  }
}

function aboutOf(context: Context, identity: MeantIdentity) {
  return {
    identity: formatAuthType(identity),
    name: identity.name,
    default: isDefault(context, identity),
    api_url: identity.apiUrl,
    client_id: identity.clientId,
    session_manager: identity.manager ?? 'none yet',
  };
}

const FINE = { usable: true, problem: undefined, hint: undefined, exit: 0 };

function troubleOf(error: Failure) {
  return { usable: false, problem: error.message, hint: error.hint, exit: exitCodeOf(error).exit };
}

function checkStored(oauth: PodioOAuth, now: number): void {
  const hint = 'log in again: podio login';
  if (isEmpty(oauth)) throw new NotLoggedInError('no session is stored', { hint });
  if (!isUsable(oauth, now)) throw new NotLoggedInError('the session has ended', { hint });
}

// The cheapest question that apps and users alike may ask.
async function asked(client: PodioClient): Promise<PodioOAuth> {
  const answer = await client.call({ method: 'GET', path: '/oauth/scope' });
  const text = (await readWhole(answer.body, 1024 * 1024, () => failureOf(answer, ''))).toString();
  if (answer.status >= 300) throw failureOf(answer, text);
  return client.stored();
}

function placeAndEnds({ place, oauth }: { place?: string; oauth?: PodioOAuth }) {
  if (oauth === undefined || isEmpty(oauth))
    return { place, access_ends_at: undefined, refresh_ends_at: undefined };
  const iso = (time: number) => new Date(time).toISOString();
  return { place, access_ends_at: iso(expiresAt(oauth)), refresh_ends_at: iso(refreshEndsAt(oauth)) };
}

function block(report: Report, now: number): string {
  const title = `${report.identity}${report.name ? ` (${report.name})` : ''}${report.default ? ', the default' : ''}`;
  const rows = [
    ['API', report.api_url],
    ['session', report.place ?? 'nowhere'],
    ['access', report.access_ends_at && `until ${inWords(report.access_ends_at, now)}`],
    ['renewable', report.refresh_ends_at && `until ${inWords(report.refresh_ends_at, now)}`],
    ['state', stateOf(report)],
    ['hint', report.hint],
  ];
  const lines = rows
    .filter(([, text]) => text !== undefined)
    .map(([name = '', text = '']) => `  ${name.padEnd(10)} ${visible(text)}`);
  return [visible(title), ...lines].join('\n');
}

function stateOf({ usable, checked, problem }: Report): string {
  if (!usable) return problem ?? 'cannot be used';
  return checked ? 'Podio accepts it' : 'can be used, as far as is known here';
}

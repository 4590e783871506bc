import { Argument, type Command } from 'commander';
import { Failure, UsageError } from '../../errors.ts';
import { moveSession } from '../../session/move.ts';
import { type KnownIdentity, label } from '../../session/register.ts';
import { formatAuthType } from '../../values/identity.ts';
import { fullName } from '../../values/manager-name.ts';
import { expiresAt, isEmpty, refreshEndsAt } from '../../values/podio-oauth.ts';
import { quoted } from '../../values/quoted.ts';
import type { Context } from '../context.ts';
import { readStdin, readTextFile } from '../input.ts';
import { done, visible, warn, write, writeJson } from '../output.ts';
import { saveSecretly } from '../save.ts';
import { encodeExport, readExport, type StoredSession } from '../session-export.ts';
import { withSpinner } from '../spinner.ts';
import type { CommandModule } from './command.ts';

interface SessionsOptions {
  readonly to?: string;
  readonly reveal?: boolean;
  readonly output?: string;
}

type Action = (context: Context, options: SessionsOptions, words: readonly string[]) => Promise<void>;

const ACTIONS: Readonly<Record<string, Action>> = { list, move, export: exportAll, import: importAll };

export const sessions: CommandModule<SessionsOptions> = {
  declare: (command: Command) =>
    command
      .usage('list|move|export|import [options] [IDENTITY|FILE]')
      .addArgument(new Argument('<action>', 'what to do').choices(Object.keys(ACTIONS)))
      .argument('[identity|file]', 'an identity (move, export), or a file (import; - is standard input)')
      .option('--to <manager>', 'move: where to, e.g. keychain or file')
      .option('--reveal', 'export: with the tokens, which is what import needs')
      .option('-o, --output <file>', 'export: the file, made with mode 0600; - is standard output')
      .addHelpText('after', EXAMPLES),

  async run(
    context: Context,
    options: SessionsOptions,
    [action = '', ...words]: readonly string[],
  ): Promise<undefined> {
    await ACTIONS[action]?.(context, options, words);
  },
};

const EXAMPLES = `
Examples:
  podio sessions list
  podio sessions move app:123456 --to keychain
  podio sessions export --reveal -o sessions.json
  podio sessions import sessions.json --session-manager file`;

async function list(context: Context): Promise<void> {
  const rows = [];
  for (const known of context.register.list()) rows.push(await row(context, known));
  if (context.settings.json) return writeJson(context.io, rows);
  const lines = rows.map(({ identity, name, session_manager, state }) =>
    [identity, name ?? '-', session_manager, state].map(visible).join('\t'),
  );
  await write(context.io.stdout, lines.map((line) => `${line}\n`).join(''));
}

async function row(context: Context, known: KnownIdentity) {
  return {
    identity: formatAuthType(known),
    name: known.name,
    api_url: known.apiUrl,
    client_id: known.clientId,
    session_manager: known.manager,
    state: await stateOf(context, known),
  };
}

// Trouble with one session is no reason to keep quiet about the others.
async function stateOf(context: Context, known: KnownIdentity): Promise<string> {
  try {
    const oauth = await (await context.manager(known.manager, known)).get(known);
    const now = context.io.now();
    if (isEmpty(oauth)) return 'missing';
    if (expiresAt(oauth) > now) return 'valid';
    return refreshEndsAt(oauth) > now ? 'renewable' : 'ended';
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    warn(context.io, `${label(known)}: ${error.message}`);
    return 'unreadable';
  }
}

async function move(context: Context, options: SessionsOptions, [text]: readonly string[]): Promise<void> {
  const to = options.to && context.shownName(fullName(options.to));
  if (!to)
    throw new UsageError('move where?', { hint: 'as in: podio sessions move app:123456 --to keychain' });
  const known = theOne(context, text);
  if (known.manager === to)
    throw new UsageError(`the session of ${label(known)} is kept by ${to} already`, {
      hint: 'see where each is kept: podio sessions list',
    });
  if (to === 'memory')
    throw new UsageError('what is moved to memory is gone at once', {
      hint: `to forget the session: podio logout ${quoted(label(known))}`,
    });
  const manager = await context.manager(to, known);
  const from = await context.manager(known.manager, known);
  await withSpinner(context.io, 'Moving the session', () =>
    moveSession({
      authType: known,
      from,
      to: manager,
      announce: () => context.register.add({ ...known, manager: to }),
    }),
  );
  if (context.settings.json)
    return writeJson(context.io, { identity: formatAuthType(known), session_manager: to });
  done(context.io, `The session of ${label(known)} is now kept in ${manager.place?.(known) ?? to}.`);
}

function theOne(context: Context, text: string | undefined): KnownIdentity {
  const meant = context.identity(text);
  const known = context.register.get(meant);
  if (known !== undefined) return known;
  throw new UsageError(`${formatAuthType(meant)} has no session yet`, { hint: 'log in: podio login' });
}

async function exportAll(
  context: Context,
  options: SessionsOptions,
  [text]: readonly string[],
): Promise<void> {
  const { reveal = false, output } = options;
  if (reveal && output === undefined) {
    throw new UsageError('where are the tokens to go?', {
      hint: 'name a file, or - for a pipe: podio sessions export --reveal -o sessions.json',
    });
  }
  const chosen = text === undefined ? context.register.list() : [theOne(context, text)];
  const stored = [];
  for (const known of chosen) {
    stored.push({ known, oauth: await (await context.manager(known.manager, known)).get(known) });
  }
  const json = encodeExport(stored, reveal);
  if (output === undefined || output === '-') return write(context.io.stdout, json);
  await saveSecretly(output, json);
  const count = stored.filter(({ oauth }) => !isEmpty(oauth)).length;
  if (context.settings.json) return writeJson(context.io, { file: output, sessions: count });
  done(context.io, `${count} ${count === 1 ? 'session' : 'sessions'} written to ${output}.`);
}

async function importAll(
  context: Context,
  _options: SessionsOptions,
  [file]: readonly string[],
): Promise<void> {
  if (file === undefined)
    throw new UsageError('import what?', { hint: 'as in: podio sessions import sessions.json' });
  const { io, settings } = context;
  const text = file === '-' ? await readStdin(io, 'import -') : await readTextFile(io, file, 'import');
  const outcomes = [];
  for (const stored of readExport(text)) outcomes.push(await importOne(context, stored));
  if (settings.json) return writeJson(io, outcomes);
  for (const { name, identity, place } of outcomes.filter(({ imported }) => imported))
    done(io, `The session of ${name ?? identity} is kept in ${place}.`);
}

async function importOne(context: Context, { known, oauth }: StoredSession) {
  const { io, register, settings } = context;
  const manager = settings.sessionManager ?? known.manager;
  const kept = await context.manager(manager, known);
  const imported = (await kept.get(known)).obtainedAt <= oauth.obtainedAt;
  const place = kept.place?.(known) ?? manager;
  const about = { identity: formatAuthType(known), name: known.name, api_url: known.apiUrl };
  if (imported) {
    await context.keep(kept, known, oauth);
    await register.add({ ...known, manager });
    if (register.default(known.apiUrl) === undefined) await register.choose(known);
  } else warn(io, `${label(known)}: the session here is newer and stays as it is`);
  return { ...about, session_manager: manager, place, imported };
}

import { EventEmitter } from 'node:events';
import { Command, Help, type Option } from 'commander';
import { EXIT_CODES } from '../exit-codes.ts';
import { declareGlobalOptions } from '../global-options.ts';
import { type Block, type Page, type Row, readBlocks, type Section } from '../page.ts';
import { TOPICS } from '../topics.ts';
import type { CommandEntry } from './command.ts';

/** What the program is for, in one sentence. */
export const PURPOSE =
  'Log in to the Podio API once, then call it from any shell, any cron job, any number at once.';

// By name, so that a command stands where it belongs as soon as it is there; any other stands last.
const GROUPS: readonly (readonly [title: string, names: readonly string[]])[] = [
  ['Sessions', ['login', 'status', 'switch', 'refresh', 'logout', 'sessions']],
  ['Calls', ['call', 'batch', 'limits', 'token', 'exec']],
];

const help = new Help();

/** The page of the program itself: its commands in groups, the options that all of them take, the topics. */
export function programPage(commands: readonly CommandEntry[]): Page {
  const sections = [
    { title: 'Examples', blocks: [{ kind: 'code', lines: EXAMPLES }] },
    ...groupsOf(commands).map(([title, entries]) => rowsUnder(title, entries.map(entryRow))),
    rowsUnder('Options of every command', globalRows()),
    rowsUnder('Topics', Object.entries(TOPICS).map(topicRow)),
    { title: '', blocks: [{ kind: 'text', text: MORE }] },
  ] satisfies Section[];
  return { name: '', kind: 'program', summary: PURPOSE, usage: 'podio COMMAND [options]', sections };
}

const EXAMPLES = ['podio login --app 123456', 'podio call GET /item/123', 'podio logout'];
const MORE =
  'podio help COMMAND or podio help TOPIC tells more, podio help --all everything. podio --version prints the version.';

/** The commands in their groups, in the order of the help. */
export function groupsOf(commands: readonly CommandEntry[]): [title: string, entries: CommandEntry[]][] {
  const grouped = GROUPS.flatMap(([, names]) => names);
  const rest = commands.filter(({ name }) => !grouped.includes(name)).map(({ name }) => name);
  return [...GROUPS, ['More', rest] as const].map(([title, names]) => [
    title,
    names.flatMap((name) => commands.filter((entry) => entry.name === name)),
  ]);
}

/** The page of a command, read from what it declares to the parser. */
export async function commandPage(entry: CommandEntry): Promise<Page> {
  const { name, summary, takesJson = true } = entry;
  const command = await declared(entry);
  const { examples, notes } = readNotes(afterHelpOf(command));
  const sections = [
    { title: 'Examples', blocks: examples },
    rowsUnder('Arguments', help.visibleArguments(command).map(argumentRow(command))),
    rowsUnder('Options', command.options.filter(({ hidden }) => !hidden).map(optionRow)),
    { title: '', blocks: [...notes, { kind: 'text', text: elsewhere(takesJson) }] },
  ] satisfies Section[];
  const usage = `podio ${name} ${command.usage()}`.trimEnd();
  return { name, kind: 'command', summary, usage, sections: sections.filter(hasContent) };
}

/** A command with its arguments and options, as the parser knows it. */
export async function declared({ name, summary, load }: CommandEntry): Promise<Command> {
  const command = new Command(name).description(summary).helpOption(false);
  return (await load()).declare(command);
}

/** The page of a topic; undefined where there is none of that name. */
export function topicPage(name: string): Page | undefined {
  const topic = Object.hasOwn(TOPICS, name) ? TOPICS[name] : undefined;
  if (topic === undefined) return undefined;
  const sections = [{ title: '', blocks: readBlocks(topic.text) }];
  return { name, kind: 'topic', summary: topic.summary, usage: '', sections };
}

/** Every page, in the order of `podio help --all`. */
export async function allPages(commands: readonly CommandEntry[]): Promise<Page[]> {
  const entries = groupsOf(commands).flatMap(([, group]) => group);
  const pages = await Promise.all(entries.map(commandPage));
  const topics = Object.keys(TOPICS).flatMap((name) => topicPage(name) ?? []);
  return [programPage(commands), ...pages, ...topics];
}

/** How a command can end, for the pages that print it whole. */
export function exitRows(): Row[] {
  return [...EXIT_CODES]
    .sort((a, b) => a.exit - b.exit)
    .map(({ exit, meaning }) => ({ term: String(exit), text: meaning }));
}

/** The options that every command takes. */
export function globalOptions(): readonly Option[] {
  const program = declareGlobalOptions(new Command('podio'));
  return help.visibleOptions(program);
}

function globalRows(): Row[] {
  return globalOptions().map(optionRow);
}

// Named only: what they mean is told once, on the page of the program.
function elsewhere(takesJson: boolean): string {
  const names = globalOptions().flatMap(({ long }) => (long === '--json' && !takesJson ? [] : long));
  return `As every command: ${names.join(', ')} (podio help). How it can end: podio help exit-codes.`;
}

// What was added with addHelpText waits in listeners for the help that prints it.
function afterHelpOf(command: Command): string {
  const parts: string[] = [];
  const context = { error: false, command, write: (text: string) => void parts.push(text) };
  if (command instanceof EventEmitter) command.emit('afterHelp', context);
  return parts.join('\n');
}

function readNotes(text: string): { examples: Block[]; notes: Block[] } {
  const blocks = readBlocks(text);
  const at = blocks.findIndex((block) => block.kind === 'text' && block.text === 'Examples:');
  if (at === -1) return { examples: [], notes: blocks };
  const end = blocks.findIndex((block, index) => index > at && block.kind === 'text');
  const after = end === -1 ? blocks.length : end;
  return {
    examples: blocks.slice(at + 1, after),
    notes: [...blocks.slice(0, at), ...blocks.slice(after)],
  };
}

function rowsUnder(title: string, rows: readonly Row[]): Section {
  return { title, blocks: rows.length > 0 ? [{ kind: 'rows', rows }] : [] };
}

function hasContent({ blocks }: Section): boolean {
  return blocks.length > 0;
}

function entryRow({ name, summary }: CommandEntry): Row {
  return { term: name, text: summary };
}

function topicRow([name, { summary }]: [string, { readonly summary: string }]): Row {
  return { term: name, text: summary };
}

// Options without a letter line up with those that have one.
function optionRow(option: Option): Row {
  const term = option.short === undefined ? `    ${option.flags}` : option.flags;
  return { term, text: help.optionDescription(option) };
}

function argumentRow(command: Command) {
  const { registeredArguments } = command;
  return (argument: (typeof registeredArguments)[number]): Row => ({
    term: help.argumentTerm(argument),
    text: help.argumentDescription(argument),
  });
}

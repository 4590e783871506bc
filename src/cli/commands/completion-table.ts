import type { Command, Option } from 'commander';
import type { CompletionCommand, CompletionOption, CompletionTable, Value } from '../completion.ts';
import { PODIO_PATHS } from '../podio-paths.ts';
import { SETTINGS } from '../setting.ts';
import { TOPICS } from '../topics.ts';
import type { CommandEntry } from './command.ts';
import { declared, globalOptions } from './manual.ts';

/** What the shells can complete, read from what the commands declare to the parser. */
export async function completionTable(entries: readonly CommandEntry[]): Promise<CompletionTable> {
  const commands = await Promise.all(
    entries.map(async (entry) => [entry.name, await commandOf(entry)] as const),
  );
  return {
    commands: Object.fromEntries(commands),
    options: [...globalOptions().map(optionOf), VERSION_OPTION],
    words: WORDS,
    settings: Object.fromEntries(SETTINGS.map(({ key }) => [key, SETTING_VALUES[key] ?? NO_VALUE])),
    paths: PODIO_PATHS,
  };
}

const NO_VALUE: Value = { kinds: [], choices: [] };
const VERSION_OPTION: CompletionOption = {
  flags: ['--version'],
  text: 'print the version',
  optional: false,
  repeats: false,
};

const SETTING_VALUES: Readonly<Record<string, Value>> = {
  as: { kinds: ['identity'], choices: [] },
  session_manager: { kinds: ['manager'], choices: [] },
  color: { kinds: ['when'], choices: [] },
  no_input: { kinds: [], choices: ['true', 'false'] },
};

const WORDS: CompletionTable['words'] = {
  when: { auto: 'on a terminal that takes it', always: '', never: '' },
  manager: {
    auto: 'the keychain where it works, else files',
    keychain: "the system's keychain",
    file: 'files of mode 0600',
    'redis://': 'a Redis, for several machines: redis://HOST:PORT/DB',
    memory: 'nowhere: it ends with the process',
  },
  method: { GET: 'read', POST: 'make', PUT: 'change', DELETE: 'delete' },
  setting: Object.fromEntries(SETTINGS.map(({ key, meaning }) => [key, meaning])),
  topic: Object.fromEntries(Object.entries(TOPICS).map(([name, { summary }]) => [name, summary])),
};

async function commandOf(entry: CommandEntry): Promise<CompletionCommand> {
  const command: Command = await declared(entry);
  return {
    text: entry.summary,
    ...(entry.takesJson === false && { takesJson: false }),
    options: command.options.filter(({ hidden }) => !hidden).map(optionOf),
    arguments: command.registeredArguments.map((argument) => ({
      ...takes(argument.name(), argument.argChoices),
      variadic: argument.variadic,
    })),
  };
}

function optionOf(option: Option): CompletionOption {
  const { short, long, flags, description, argChoices, required, optional, variadic, parseArg } = option;
  const name = /[<[](.*?)(?:\.\.\.)?[>\]]/.exec(flags)?.[1];
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    text: description,
    ...(name !== undefined && { value: takes(name, argChoices) }),
    optional: optional && !required,
    // An option that gathers its values has a parser of its own.
    repeats: variadic || parseArg !== undefined,
  };
}

function takes(name: string, choices: readonly string[] = []): Value {
  return { kinds: name.split('|'), choices };
}

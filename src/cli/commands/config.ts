import * as path from 'node:path';
import { Argument, type Command } from 'commander';
import { StoreError, UsageError } from '../../errors.ts';
import { locked } from '../../session/locked.ts';
import { configFolder, dataFolder } from '../../values/places.ts';
import { nearest } from '../../values/suggest.ts';
import { checkPlace, configFile, type GlobalOptions, readConfigFile } from '../config.ts';
import type { Io } from '../io.ts';
import { say, visible, warn, write, writeJson } from '../output.ts';
import { replaceFile } from '../replace.ts';
import {
  hasPassword,
  type Said,
  SETTINGS,
  type Setting,
  type Source,
  sourcesOf,
  withoutPassword,
} from '../setting.ts';
import type { PlainModule } from './command.ts';

/** What an action works with. */
interface Task extends Said {
  readonly io: Io;
}

type Action = (task: Task, words: readonly string[]) => Promise<void>;

const ACTIONS: Readonly<Record<string, readonly [words: number, action: Action]>> = {
  get: [1, get],
  set: [2, set],
  unset: [1, unset],
  list: [0, list],
  explain: [1, explain],
  path: [0, tellPath],
};

export const config: PlainModule<GlobalOptions> = {
  declare: (command: Command) =>
    command
      .usage(`${Object.keys(ACTIONS).join('|')} [KEY] [VALUE]`)
      .addArgument(new Argument('<action>', 'what to do').choices(Object.keys(ACTIONS)))
      .argument('[setting]', SETTINGS.map(({ key }) => key).join(', '))
      .argument('[value]', 'set: what it is to be')
      .addHelpText('after', NOTES),

  async runPlain(
    io: Io,
    options: GlobalOptions,
    [action = '', ...words]: readonly string[],
  ): Promise<undefined> {
    const [count, act] = ACTIONS[action] ?? [0, list];
    if (words.length !== count)
      throw new UsageError(`config ${action} takes ${['nothing more', 'a key', 'a key and a value'][count]}`);
    const file = await configFile(io.env);
    const values = isReading(action) ? valuesIn(io, file) : readConfigFile(file, (text) => warn(io, text));
    await act({ io, options, env: io.env, file, values }, words);
  },
};

function isReading(action: string): boolean {
  return action !== 'set' && action !== 'unset';
}

// What other commands refuse to read is shown here, so that one can see what is wrong with it.
function valuesIn(io: Io, file: string | undefined): Values {
  try {
    if (file !== undefined) checkPlace(file);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    warn(io, error.message);
  }
  return readConfigFile(file, (text) => warn(io, text));
}

const NOTES = `
Examples:
  podio config set as ada
  podio config set color never
  podio config list
  podio config explain api_url
  podio config unset as

The settings:
${SETTINGS.map(({ key, meaning }) => `  ${key}  ${meaning}`).join('\n')}

An option stands above a variable, a variable above the settings, the settings above the default; explain tells which
one holds. For sessions that exist, the manager that was remembered at their login stands above session_manager. The
settings are a file of JSON, and hold no secret: keys are kept with the sessions.`;

async function get(task: Task, [key = '']: readonly string[]): Promise<void> {
  const setting = settingNamed(key);
  const { value, source } = holding(setting, task);
  if (task.options.json) return writeJson(task.io, { key, value: shown(value) ?? null, source });
  if (value !== undefined) await write(task.io.stdout, `${visible(withoutPassword(value))}\n`);
}

async function list(task: Task): Promise<void> {
  const { io, options, file, values } = task;
  for (const key of Object.keys(values).filter((key) => !SETTINGS.some((known) => known.key === key)))
    warn(io, `"${key}" in ${file} is no setting${meant(key, '; did you mean $?')}`);
  const rows = SETTINGS.map((setting) => ({ key: setting.key, ...holding(setting, task) }));
  if (options.json)
    return writeJson(
      io,
      rows.map(({ key, value, source, name }) => ({ key, value: shown(value) ?? null, source, name })),
    );
  const lines = rows.map(({ key, value, ...from }) => [key, shown(value) ?? '-', inWords(from)]);
  await write(io.stdout, lines.map((line) => `${line.map(visible).join('\t')}\n`).join(''));
}

async function explain(task: Task, [key = '']: readonly string[]): Promise<void> {
  const setting = settingNamed(key);
  const sources = sourcesOf(setting, task);
  const winner = holding(setting, task);
  if (task.options.json) {
    const told = sources.map(({ value, ...from }) => ({ ...from, value: shown(value) ?? null }));
    return writeJson(task.io, {
      key,
      value: shown(winner.value) ?? null,
      source: winner.source,
      sources: told,
    });
  }
  const lines = sources.map((from) => {
    const mark = from.source === winner.source ? '→' : ' ';
    return `${mark} ${inWords(from)}\t${shown(from.value) ?? '-'}${complaint(setting, from)}`;
  });
  const head = `${key}: ${setting.meaning}`;
  await write(task.io.stdout, [head, ...lines].map((line) => `${visibleButTabs(line)}\n`).join(''));
}

function complaint({ fits, must }: Setting, { value }: Source): string {
  return value === undefined || fits(value) ? '' : ` (it must ${must})`;
}

function visibleButTabs(line: string): string {
  return line.split('\t').map(visible).join('\t');
}

async function set(task: Task, [key = '', value = '']: readonly string[]): Promise<void> {
  const setting = settingNamed(key);
  if (hasPassword(value))
    throw new UsageError(`a URL with a password in it is a secret, and the settings hold none`, {
      hint: `set it in the environment: ${setting.variable ?? 'podio help environment'}`,
    });
  if (!setting.fits(value)) throw new UsageError(`${key} must ${setting.must}, not "${value}"`);
  const stored = setting.usual === 'false' ? value === 'true' : value;
  await change(task, (values) => ({ ...values, [key]: stored }));
  const over = sourcesOf(setting, task).find((from) => from.value !== undefined);
  if (over?.source === 'environment') warn(task.io, `${over.name} is set, and stands above it`);
  await tell(task, { key, value }, `${key} is now ${value}`);
}

async function unset(task: Task, [key = '']: readonly string[]): Promise<void> {
  // What is no setting may have come there by a slip, and may go.
  if (!Object.hasOwn(task.values, key)) settingNamed(key);
  await change(task, (values) => Object.fromEntries(Object.entries(values).filter(([name]) => name !== key)));
  await tell(task, { key, value: null }, `${key} is not set`);
}

async function tellPath({ io, options }: Task): Promise<void> {
  const file = path.join(await configFolder(io.env), 'config.json');
  if (options.json) return writeJson(io, { path: file });
  await write(io.stdout, `${file}\n`);
}

async function tell({ io, options, file }: Task, result: object, words: string): Promise<void> {
  if (options.json) return writeJson(io, { ...result, path: file });
  say(io, visible(`${words}, in ${file}.`));
}

// Read again under the lock: two that set something at once both have their way.
async function change({ io }: Task, to: (values: Values) => Values): Promise<void> {
  const file = path.join(await configFolder(io.env), 'config.json');
  checkPlace(file);
  await locked(path.join(await dataFolder(io.env), 'config.json'), () => {
    const values = readConfigFile(file, () => {
      throw new StoreError(`the settings in ${file} are not a JSON object; nothing was changed`, {
        hint: `mend them, or put them aside: mv '${file}' '${file}.old'`,
      });
    });
    const changed = to(values);
    if (JSON.stringify(changed) !== JSON.stringify(values))
      replaceFile(file, `${JSON.stringify(changed, undefined, 2)}\n`);
  });
}

type Values = Readonly<Record<string, unknown>>;

function settingNamed(key: string): Setting {
  const setting = SETTINGS.find((known) => known.key === key);
  if (setting !== undefined) return setting;
  if (/secret|token|password|otp/i.test(key)) {
    throw new UsageError(`"${key}" sounds like a secret, and the settings hold none`, {
      hint: 'podio login keeps secrets with the session: see podio help storage',
    });
  }
  const all = `the settings are ${SETTINGS.map((known) => known.key).join(', ')}`;
  throw new UsageError(`there is no setting "${key}"`, { hint: meant(key, 'did you mean $? ') + all });
}

function meant(key: string, words: string): string {
  const near = nearest(
    key.replaceAll('-', '_'),
    SETTINGS.map((known) => known.key),
  );
  return near === undefined ? '' : words.replace('$', near);
}

function holding(setting: Setting, said: Said): Source {
  const [option, ...others] = sourcesOf(setting, said);
  return [option, ...others].find(({ value }) => value !== undefined) ?? others.at(-1) ?? option;
}

function shown(value: string | undefined): string | undefined {
  return value === undefined ? undefined : withoutPassword(value);
}

function inWords({ source, name }: Pick<Source, 'source' | 'name'>): string {
  return name === undefined ? source : `${source} ${name}`;
}

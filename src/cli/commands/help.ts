import { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { write } from '../output.ts';
import { TOPICS } from '../topics.ts';
import type { CommandEntry, CommandModule } from './command.ts';

/** The command that explains the others, and the topics that belong to none. */
export function helpOn(commands: readonly CommandEntry[]): CommandModule {
  return {
    declare: (command: Command) =>
      command.argument('[topic]', `a command, or ${Object.keys(TOPICS).join(', ')}`),

    async run({ io }: Context, _options: object, [topic]: readonly string[]): Promise<undefined> {
      await write(io.stdout, topic === undefined ? overview(commands) : await explain(commands, topic));
    },
  };
}

function overview(commands: readonly CommandEntry[]): string {
  const list = commands.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`);
  const topics = Object.entries(TOPICS).map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`);
  return [
    'Commands:',
    ...list,
    '',
    'Topics:',
    ...topics,
    '',
    'podio help COMMAND or TOPIC tells more.',
    '',
  ].join('\n');
}

async function explain(commands: readonly CommandEntry[], topic: string): Promise<string> {
  const text = Object.hasOwn(TOPICS, topic) ? TOPICS[topic]?.text : undefined;
  if (text !== undefined) return text;
  const entry = commands.find(({ name }) => name === topic);
  if (entry === undefined) throw new UsageError(`there is no help on "${topic}"`, { hint: 'see podio help' });
  return helpOf(entry);
}

async function helpOf({ name, summary, load }: CommandEntry): Promise<string> {
  const parts: string[] = [];
  const command = new Command(`podio ${name}`).description(summary).helpOption('-h, --help', 'print help');
  (await load()).declare(command).configureOutput({ writeOut: (part) => parts.push(part) });
  command.outputHelp();
  return parts.join('');
}

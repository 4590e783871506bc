import { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { write } from '../output.ts';
import { TOPICS } from '../topics.ts';
import type { CommandModule } from './command.ts';
import { COMMANDS } from './index.ts';

export const help: CommandModule = {
  declare: (command: Command) =>
    command.argument('[topic]', `a command, or ${Object.keys(TOPICS).join(', ')}`),

  async run({ io }: Context, _options: object, [topic]: readonly string[]): Promise<undefined> {
    await write(io.stdout, topic === undefined ? overview() : await explain(topic));
  },
};

function overview(): string {
  const commands = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`);
  const topics = Object.entries(TOPICS).map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`);
  return [
    'Commands:',
    ...commands,
    '',
    'Topics:',
    ...topics,
    '',
    'podio help COMMAND or TOPIC tells more.',
    '',
  ].join('\n');
}

async function explain(topic: string): Promise<string> {
  const text = Object.hasOwn(TOPICS, topic) ? TOPICS[topic]?.text : undefined;
  if (text !== undefined) return text;
  const entry = COMMANDS.find(({ name }) => name === topic);
  if (entry === undefined) throw new UsageError(`there is no help on "${topic}"`, { hint: 'see podio help' });
  const command = new Command(`podio ${entry.name}`)
    .description(entry.summary)
    .helpOption('-h, --help', 'print help');
  let text2 = '';
  (await entry.load()).declare(command).configureOutput({
    writeOut: (part) => {
      text2 += part;
    },
  });
  command.outputHelp();
  return text2;
}

import type { Command } from 'commander';
import { UsageError } from '../../errors.ts';
import { nearest } from '../../values/suggest.ts';
import { isColorful } from '../color.ts';
import type { Io } from '../io.ts';
import { write, writeJson } from '../output.ts';
import type { Page } from '../page.ts';
import { printPage } from '../page-text.ts';
import { TOPICS } from '../topics.ts';
import type { CommandEntry, PlainModule } from './command.ts';
import { allPages, commandPage, programPage, topicPage } from './manual.ts';

interface HelpOptions {
  readonly all?: boolean;
  readonly json?: boolean;
  readonly color?: string;
}

/** The command that explains the others, and the topics that belong to none. */
export function helpOn(commands: readonly CommandEntry[]): PlainModule<HelpOptions> {
  return {
    declare: (command: Command) =>
      command
        .argument('[topic]', `a command, or ${Object.keys(TOPICS).join(', ')}`)
        .argument('[action...]', 'an action of that command, as in podio help sessions move')
        .option('--all', 'everything on one page')
        .addHelpText('after', NOTES),

    async runPlain(io: Io, options: HelpOptions, [topic]: readonly string[]): Promise<undefined> {
      const pages = options.all ? await allPages(commands) : [await pageOn(commands, topic)];
      if (options.json) return writeJson(io, options.all ? pages : pages[0]).then(() => undefined);
      await write(io.stdout, pages.map((page) => printed(page, io, options)).join(RULE));
    },
  };
}

const RULE = `\n${'─'.repeat(20)}\n\n`;

const NOTES = `
The same as podio COMMAND --help. The pages are man pages too, where the system has man: man podio-call.

Examples:
  podio help call
  podio help exit-codes
  podio help --all | less`;

async function pageOn(commands: readonly CommandEntry[], topic: string | undefined): Promise<Page> {
  if (topic === undefined || topic === 'podio') return programPage(commands);
  const entry = commands.find(({ name }) => name === topic);
  const page = entry === undefined ? topicPage(topic) : await commandPage(entry);
  if (page !== undefined) return page;
  const meant = nearest(topic, [...commands.map(({ name }) => name), ...Object.keys(TOPICS)]);
  throw new UsageError(`there is no help on "${topic}"`, {
    hint: meant === undefined ? 'see podio help' : `did you mean: podio help ${meant}`,
  });
}

function printed(page: Page, io: Io, { color, all }: HelpOptions): string {
  const when = color === 'always' || color === 'never' ? color : 'auto';
  const print = { width: widthOf(io), color: isColorful(when, io) };
  const text = printPage(page, print);
  return all && page.kind !== 'program' ? `podio ${page.kind} "${page.name}"\n\n${text}` : text;
}

/** Help in a pipe is as wide as a terminal usually is. */
function widthOf({ stdout }: Io): number {
  return stdout.isTTY ? (stdout.columns ?? 80) : 80;
}

import { open, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { Failure, UsageError } from '../../errors.ts';
import { BatchRun } from '../batch-run.ts';
import { type BatchWords, readBatchSettings } from '../batch-settings.ts';
import type { Context } from '../context.ts';
import { unlessStopped } from '../input.ts';
import { Journal } from '../journal.ts';
import { countLines } from '../lines.ts';
import { checkSavable } from '../save.ts';
import type { CommandModule } from './command.ts';

export const batch: CommandModule<BatchWords> = {
  declare: (command: Command) =>
    command
      .argument('[file]', 'a file of calls, one a line; - is standard input')
      .option('--concurrency <n>', 'calls at the same time (4)')
      .option('--shared', 'count the calls of other batches with --shared among these')
      .option('--unordered', 'print answers as they come, not in the order of the lines')
      .option('--fail-fast', 'stop at the first failure')
      .option(
        '--retry-unsafe',
        'with --resume: send POST, PATCH and DELETE again that were left without an answer',
      )
      .option('--wait <seconds>', 'how long to wait at a stretch for the rate limit (0)')
      .option('--min-remaining <n>', 'stop where only so many calls of the hour are left')
      .option('--timeout <seconds>', 'how long the API may say nothing (60)')
      .option('--resume <file>', 'keep a journal there; with one, send only what is missing')
      .option('--summary <file>', 'put what became of it all in a file, as JSON')
      .addHelpText('after', EXAMPLES),

  async run(context: Context, words: BatchWords, [file]: readonly string[]): Promise<number> {
    if (context.settings.json)
      throw new UsageError('batch prints lines of JSON in any case, and takes no --json');
    const settings = readBatchSettings(words);
    if (settings.summary) await checkSavable(settings.summary);
    using journal = settings.journal === undefined ? undefined : await Journal.open(settings.journal);
    const input = await openLines(context, file);
    try {
      const total = file === undefined || file === '-' ? undefined : await countForProgress(context, file);
      // The journal is closed once it is no longer written to.
      return await new BatchRun({ context, settings, input, journal, total }).run();
    } finally {
      input.destroy();
    }
  },
};

const EXAMPLES = `
A line is an object with id, method, path, query, headers and body, of which only the path must be there, or method
and path alone, as in GET /item/123. Each answer is a line with id, status, body or error, ms and attempts; the id is
the line's number where the line has none. The exit code is that of the worst line: 1, 8, 3, 7, 5, 6, 2, 4, 9, in this
order.

Examples:
  seq 1 500 | sed 's|^|GET /item/|' | podio batch - > items.ndjson
  podio batch calls.ndjson --concurrency 8 --resume calls.journal >> answers.ndjson
  podio batch calls.ndjson --min-remaining 100 --wait 3600`;

// Only whom it is shown to wants to know it.
async function countForProgress({ io }: Context, file: string): Promise<number | undefined> {
  return io.stderr.isTTY === true && (await stat(file)).isFile() ? countLines(file) : undefined;
}

async function openLines({ io }: Context, file: string | undefined): Promise<Readable> {
  if (file === '-') return io.stdin;
  if (file === undefined)
    throw new UsageError('batch reads a file of calls, and none was named', {
      hint: 'podio batch FILE, or podio batch - for standard input',
    });
  try {
    return (await unlessStopped(io, open(file))).createReadStream();
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
    throw new UsageError(`batch cannot read ${file} (${why})`, { cause });
  }
}

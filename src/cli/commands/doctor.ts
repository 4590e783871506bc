import type { Command } from 'commander';
import { type Finding, runChecks } from '../checks.ts';
import { type Mark, markFor, takesSigns } from '../color.ts';
import type { Context } from '../context.ts';
import type { Io } from '../io.ts';
import { visible, write, writeJson } from '../output.ts';
import { withSpinner } from '../spinner.ts';
import type { CommandModule } from './command.ts';

interface DoctorOptions {
  readonly offline?: boolean;
  readonly fix?: boolean;
}

const MARKS: Readonly<Record<Finding['level'], Mark>> = { ok: 'done', warning: 'warning', error: 'failed' };

export const doctor: CommandModule<DoctorOptions> = {
  declare: (command: Command) =>
    command
      .option('--offline', 'leave the network out')
      .option('--fix', "close our own files and folders to others, where they aren't")
      .addHelpText('after', NOTES),

  async run(context: Context, { offline = false, fix = false }: DoctorOptions): Promise<number> {
    const findings = await withSpinner(context.io, 'Looking around', () =>
      runChecks(context, { offline, fix }),
    );
    if (context.settings.json) await writeJson(context.io, findings);
    else await write(context.io.stdout, findings.map((finding) => inLines(finding, context.io)).join(''));
    return findings.find(({ exit }) => exit > 0)?.exit ?? 0;
  },
};

const NOTES = `
The exit code is 0, or that of the first trouble found (podio help exit-codes).

Examples:
  podio doctor
  podio doctor --offline --fix`;

function inLines({ id, level, message, fix }: Finding, io: Io): string {
  const mark = markFor(MARKS[level], io, io.stdout);
  // Words are of different lengths, signs are not.
  const [head, room] = takesSigns(io) ? [mark, 1] : [mark.padEnd(7), 7];
  const line = `${head} ${id.padEnd(12)} ${visible(message)}\n`;
  return fix === undefined ? line : `${line}${' '.repeat(room + 14)} ${visible(fix)}\n`;
}

import type { Command } from 'commander';
import { type Finding, runChecks } from '../checks.ts';
import type { Context } from '../context.ts';
import { visible, write, writeJson } from '../output.ts';
import type { CommandModule } from './command.ts';

interface DoctorOptions {
  readonly offline?: boolean;
  readonly fix?: boolean;
}

const MARKS = { ok: '✓', warning: '!', error: '✗' };

export const doctor: CommandModule<DoctorOptions> = {
  declare: (command: Command) =>
    command
      .option('--offline', 'leave the network out')
      .option('--fix', "close our own files and folders to others, where they aren't")
      .addHelpText(
        'after',
        '\nThe exit code is 0, or that of the first trouble found (podio help exit-codes).',
      ),

  async run(context: Context, { offline = false, fix = false }: DoctorOptions): Promise<number> {
    const findings = await runChecks(context, { offline, fix });
    if (context.settings.json) await writeJson(context.io, findings);
    else await write(context.io.stdout, findings.map(inLines).join(''));
    return findings.find(({ exit }) => exit > 0)?.exit ?? 0;
  },
};

function inLines({ id, level, message, fix }: Finding): string {
  const line = `${MARKS[level]} ${id.padEnd(12)} ${visible(message)}\n`;
  return fix === undefined ? line : `${line}  ${' '.repeat(12)} ${visible(fix)}\n`;
}

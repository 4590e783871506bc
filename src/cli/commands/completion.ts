import { readFileSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { Argument, type Command } from 'commander';
import { StoreError, UsageError } from '../../errors.ts';
import type { Environment } from '../../values/places.ts';
import { completionScript, SHELLS, type Shell } from '../completion-scripts.ts';
import type { Io } from '../io.ts';
import { say, visible, write } from '../output.ts';
import { replaceFile } from '../replace.ts';
import type { PlainModule } from './command.ts';

interface CompletionOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const ACTIONS = ['install', 'uninstall'];
const [BEGIN, END] = ['# >>> podio completion >>>\n', '# <<< podio completion <<<\n'];

export const completion: PlainModule<CompletionOptions> = {
  declare: (command: Command) =>
    command
      .usage('bash|zsh|fish|powershell, or install|uninstall [SHELL] [--dry-run]')
      .addArgument(new Argument('<what>', 'the shell whose script to print').choices([...SHELLS, ...ACTIONS]))
      .addArgument(
        new Argument('[shell]', 'install, uninstall: for this shell, not for $SHELL').choices(SHELLS),
      )
      .option('--dry-run', 'install, uninstall: print what the file would be, and leave it')
      .addHelpText('after', NOTES),

  async runPlain(
    io: Io,
    options: CompletionOptions,
    [what = '', shell]: readonly string[],
  ): Promise<undefined> {
    if (options.json) throw new UsageError('completion prints a script and takes no --json');
    if (!ACTIONS.includes(what)) return await printScript(io, what, shell);
    const chosen = shellNamed(shell ?? path.basename(io.env.SHELL ?? ''));
    const file = startFile(chosen, io.env);
    const before = textOf(file);
    const after = without(before) + (what === 'install' ? BEGIN + completionScript(chosen) + END : '');
    if (options.dryRun) await write(io.stdout, after);
    else change(io, { what, file, before, after });
  },
};

const NOTES = `
Completes commands, options, identities, settings, methods and Podio's paths. It asks podio, which asks nobody.
install writes the script between two marks into the shell's own start file (bash: ~/.bashrc, zsh: ~/.zshrc, fish:
~/.config/fish/completions/podio.fish), where it serves the next shell; uninstall takes it out again.

Examples:
  podio completion install
  podio completion install zsh --dry-run
  podio completion uninstall
  podio completion bash > /etc/bash_completion.d/podio
  podio completion powershell >> $PROFILE`;

async function printScript(io: Io, what: string, more: string | undefined): Promise<undefined> {
  if (more !== undefined) throw new UsageError(`completion ${what} takes nothing more`);
  await write(io.stdout, completionScript(shellNamed(what)));
}

function shellNamed(name: string): Shell {
  const shell = SHELLS.find((known) => known === name);
  if (shell !== undefined) return shell;
  throw new UsageError(name === '' ? 'for which shell?' : `there is no completion for "${name}"`, {
    hint: `name one: podio completion install ${SHELLS.join('|')}`,
  });
}

/** The file that the shell reads at its start. @throws {UsageError} */
function startFile(shell: Shell, env: Environment): string {
  const { HOME: home, ZDOTDIR: zsh, XDG_CONFIG_HOME: config } = env;
  if (!home || (shell === 'powershell' && process.platform === 'win32')) {
    throw new UsageError(`where ${shell} starts from is not known here`, {
      hint: `put the script there yourself: podio completion ${shell}`,
    });
  }
  const folder = config || path.join(home, '.config');
  return {
    bash: path.join(home, '.bashrc'),
    zsh: path.join(zsh || home, '.zshrc'),
    fish: path.join(folder, 'fish/completions/podio.fish'),
    powershell: path.join(folder, 'powershell/Microsoft.PowerShell_profile.ps1'),
  }[shell];
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? cause.code : 'unreadable';
    if (why === 'ENOENT') return '';
    throw new StoreError(`cannot read ${file} (${why})`, { hint: `see what it is: ls -ld '${file}'`, cause });
  }
}

/** The text without our lines, and with a line end at its end. @throws {StoreError} where one mark is missing. */
function without(text: string): string {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if ((from === -1) !== (to === -1) || to < from) {
    throw new StoreError('of the two marks of podio completion one is missing in the file', {
      hint: `put it back, or take the lines out by hand: ${(from === -1 ? BEGIN : END).trim()}`,
    });
  }
  const rest = from === -1 ? text : text.slice(0, from) + text.slice(to + END.length);
  return rest === '' || rest.endsWith('\n') ? rest : `${rest}\n`;
}

interface Change {
  readonly what: string;
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

function change(io: Io, { what, file, before, after }: Change): void {
  const isChanged = what === 'install' ? before !== after : before.includes(BEGIN);
  if (isChanged && after === '') rmSync(file);
  else if (isChanged) replaceFile(file, after);
  if (what === 'install') say(io, visible(`Completion is in ${file}; it serves the next shell.`));
  else say(io, visible(isChanged ? `Completion is taken out of ${file}.` : `There is none in ${file}.`));
}

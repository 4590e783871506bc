import type { Command } from 'commander';
import type { Context } from '../context.ts';
import type { Io } from '../io.ts';

/** One command of the program. Loaded only when it is invoked, or when its help is asked for. */
export interface CommandModule<Options extends object = object> {
  /** Adds arguments, options and help. */
  declare(command: Command): Command;
  /** Does the work; a number is the exit code, nothing means 0. */
  run(context: Context, options: Options, args: readonly string[]): Promise<number | undefined>;
}

/** A command that needs neither settings nor sessions, and so works where those are damaged. */
export interface PlainModule<Options extends object = object> extends Pick<CommandModule, 'declare'> {
  /** Does the work; a number is the exit code, nothing means 0. */
  runPlain(io: Io, options: Options, args: readonly string[]): Promise<number | undefined>;
}

/** A command as the program's own help lists it. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** False where what it prints is a secret, a script or an answer of its own kind. */
  readonly takesJson?: false;
  readonly load: () => Promise<CommandModule | PlainModule>;
}

import type { Writable } from 'node:stream';
import { Command, CommanderError } from 'commander';
import { Failure, InterruptedError, PodioError, UsageError } from '../errors.ts';
import { withoutCredentials } from '../values/manager-name.ts';
import { nearest } from '../values/suggest.ts';
import { VERSION } from '../values/version.ts';
import { tinted } from './color.ts';
import type { CommandEntry } from './commands/command.ts';
import { COMMANDS } from './commands/index.ts';
import { COLORS, type GlobalOptions } from './config.ts';
import { Context } from './context.ts';
import { LOGIN_VARIABLES } from './environment.ts';
import { exitCodeOf } from './exit-codes.ts';
import { declareGlobalOptions } from './global-options.ts';
import { type Io, inManner, type Manner, type Output } from './io.ts';
import { OutputClosed, say, visible, write } from './output.ts';
import { PlainOutput } from './plain-output.ts';

/**
 * Runs the program in this process: its arguments, streams, environment and signals. The only place that touches them.
 * Resolves with the command that came to a good end: `help` where help was asked for, no name where the version was.
 */
export async function start(): Promise<string | undefined> {
  const argv = process.argv.slice(2);
  const env = { ...process.env };
  // What is read here need stand in no diagnostic report of Node's.
  for (const name of LOGIN_VARIABLES) delete process.env[name];
  const { PODIO_SESSION_MANAGER: manager } = env;
  if (manager !== undefined) process.env.PODIO_SESSION_MANAGER = withoutCredentials(manager);
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // Once: whoever asks a second time is not made to wait.
    process.once(signal, () => controller.abort(new InterruptedError(signal)));
  }
  let stdout: Output | undefined;
  // Each stream is made at its first use: standard input alone would cost every command some 4 ms.
  const exit = await main(argv, {
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      stdout ??= new PlainOutput({ descriptor: 1, open: () => watched(process.stdout) });
      return stdout;
    },
    get stderr() {
      return watched(process.stderr);
    },
    env,
    now: Date.now,
    signal: controller.signal,
  });
  process.exitCode = exit;
  if (controller.signal.aborted) endSoon(controller.signal.reason);
  return exit === 0 ? doneBy(argv) : undefined;
}

// A pipe that nobody writes to is opened without end, and would keep an ended command from ending: the signal, which has no
// listener any more, then does what it does to any program.
function endSoon({ signal }: InterruptedError): void {
  setTimeout(() => process.kill(process.pid, signal), 200).unref();
}

// A reader that has gone is told by each write; without a listener it would end the process with a stack.
function watched<T extends Writable>(stream: T): T {
  return stream.listeners('error').includes(nothing) ? stream : stream.on('error', nothing);
}

function nothing(): void {}

/** Runs one command line and resolves with its exit code. Holds the only catch that turns errors into words. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let heard: Io = inManner(io, mannerOf(argv));
  const hear = (context: Context) => {
    heard = context.io;
  };
  try {
    return await run(argv, heard, hear);
  } catch (error) {
    if (error instanceof OutputClosed) return 0;
    if (error instanceof InterruptedError) return exitCodeOf(error).exit;
    return report(error, argv, heard);
  }
}

// `podio call --help` does another work than `podio call`.
function doneBy(argv: readonly string[]): string {
  if (argv.length === 0) return 'help';
  return ownWords(argv).some((word) => word === '--help' || word === '-h') ? 'help' : commandIn(argv);
}

function ownWords(argv: readonly string[]): readonly string[] {
  return argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
}

// What is wrong with a line has to be said before the line is understood.
function mannerOf(argv: readonly string[]): Manner {
  const own = ownWords(argv);
  const words = own.map((word, at) => (own[at - 1] === '--color' ? `--color=${word}` : word));
  const color = COLORS.find((known) => words.includes(`--color=${known}`)) ?? 'auto';
  return { json: own.includes('--json'), color };
}

async function run(argv: readonly string[], io: Io, hear: (context: Context) => void): Promise<number> {
  let exit = 0;
  const program = newProgram();
  const name = invoked(argv);
  const own = COMMANDS.find((entry) => entry.name === name);
  // All of them are known by name where one is to be guessed; else only the one that is run.
  for (const entry of own ? [own] : COMMANDS) program.command(entry.name).description(entry.summary);
  const [command] = program.commands;
  if (own && command) {
    (await own.load()).declare(command);
    command.action(async () => {
      exit = await runCommand(own, command, io, hear);
    });
  }
  await parse(program, argv, io);
  return exit;
}

async function runCommand(
  entry: CommandEntry,
  command: Command,
  io: Io,
  hear: (context: Context) => void,
): Promise<number> {
  const options: GlobalOptions = command.optsWithGlobals();
  const module = await entry.load();
  const exit =
    'runPlain' in module
      ? await module.runPlain(io, options, command.args)
      : await runIn(await heardContext(io, options, hear), (context) =>
          module.run(context, options, command.args),
        );
  // A command that says how it ended is believed: it may be its child's word.
  if (exit === undefined) io.signal.throwIfAborted();
  return exit ?? 0;
}

async function runIn<T>(context: Context, work: (context: Context) => Promise<T>): Promise<T> {
  try {
    return await work(context);
  } finally {
    await context.close();
  }
}

async function heardContext(
  io: Io,
  options: GlobalOptions,
  hear: (context: Context) => void,
): Promise<Context> {
  const context = await Context.create(io, options);
  hear(context);
  return context;
}

function newProgram(): Command {
  return (
    declareGlobalOptions(new Command('podio'))
      .version(`podio ${VERSION}`, '--version', 'print the version')
      .helpCommand(false)
      // Help is printed from the pages of the manual, errors by the catch in main.
      .configureHelp({ formatHelp: () => '' })
      .configureOutput({
        writeOut: () => {},
        writeErr: () => {},
        // Asked before the help that nobody prints, they would open the streams.
        getOutHasColors: () => false,
        getOutHelpWidth: () => 80,
      })
      .exitOverride()
  );
}

async function parse(program: Command, argv: readonly string[], io: Io): Promise<void> {
  try {
    if (argv.length === 0) program.help();
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw usageError(error);
    if (error.code === 'commander.version') await write(io.stdout, `${error.message}\n`);
    else await printHelp(program, invoked(argv), io);
  }
}

async function printHelp(program: Command, topic: string | undefined, io: Io): Promise<void> {
  const { helpOn } = await import('./commands/help.ts');
  await helpOn(COMMANDS).runPlain(io, program.opts(), topic === undefined ? [] : [topic]);
}

// Which command the line invokes: the first word that is neither a global option nor the value of one.
function invoked(argv: readonly string[]): string | undefined {
  const withValue = new Set(['--as', '--session-manager', '--api-url', '--color']);
  return argv.find((word, at) => !word.startsWith('-') && !withValue.has(argv[at - 1] ?? ''));
}

function commandIn(argv: readonly string[]): string {
  return COMMANDS.find(({ name }) => name === invoked(argv))?.name ?? '';
}

function usageError({ message }: CommanderError): UsageError {
  // Whoever gives a secret as an option's value must not find it in a log: it may hold quotes and line ends.
  const [what = '', suggestion] = message
    .replace(/^error: /, '')
    .replace(/'(--[\w-]+(?==)|-\w).*'/s, "'$1'")
    .split('\n');
  if (/option '--?(client-secret|app-token|token|access-token|password)'/.test(what)) {
    return new UsageError(what, {
      hint: 'secrets are never option values: see podio help environment',
    });
  }
  return inOurWords(what) ?? new UsageError(what, { hint: suggestion && didYouMean(suggestion) });
}

// The parser knows its grammar; the user knows what the words are for.
function inOurWords(what: string): UsageError | undefined {
  const missing = /^missing required argument '(.+)'/.exec(what)?.[1];
  if (missing !== undefined) return new UsageError(`the ${missing} is missing`);
  const [, word = '', argument, choices = ''] = CHOICE.exec(what) ?? [];
  if (argument === undefined) return undefined;
  const meant = nearest(word, choices.split(', '));
  const hint = meant && `did you mean ${meant}? See podio help COMMAND`;
  return new UsageError(`the ${argument} is one of ${choices}`, { hint });
}

const CHOICE = /argument value '(.*)' is invalid for argument '(.+)'. Allowed choices are (.+)\.$/s;

// Commander says "(Did you mean status?)".
function didYouMean(suggestion: string): string {
  const meant = /\(Did you mean (?:one of )?(.*)\?\)/.exec(suggestion)?.[1] ?? '';
  return meant.startsWith('-')
    ? `did you mean ${meant}? See podio help COMMAND`
    : `did you mean podio ${meant}`;
}

function report(error: unknown, argv: readonly string[], io: Io): number {
  const { exit, code, hint: usual, see = 'podio help' } = exitCodeOf(error);
  const { message, hint = usual, ...details } = inWords(error, io);
  const inFull = withCommand(hint, see).replace(
    'podio help COMMAND',
    `podio help ${commandIn(argv)}`.trimEnd(),
  );
  if (io.manner?.json) {
    say(io, visible(JSON.stringify({ code, exit, message, hint: inFull, ...details })));
  } else {
    say(io, `${tinted('podio:', 'failed', io, io.stderr)} ${visible(message)}`);
    say(io, `${tinted('hint:', 'hint', io, io.stderr)} ${visible(inFull)}`);
  }
  return exit;
}

// Whatever else is said, there is something to paste in the end: a command, or the address of a page.
function withCommand(hint: string | undefined, see: string): string {
  if (hint === undefined) return `see ${see}`;
  return PASTEABLE.test(hint) ? hint : `${hint}; see ${see}`;
}

const PASTEABLE = /\bpodio [a-z-]|https:|\b(?:chmod|ls|mv|ps|npm|node|command) \S/;

/** What is said of an error; what Podio said of it stands beside the message for programs. */
interface Words {
  readonly message: string;
  readonly hint: string | undefined;
  readonly status?: number;
  readonly error?: string;
  readonly request_id?: string | undefined;
}

function inWords(error: unknown, { env }: Io): Words {
  if (error instanceof PodioError) {
    const { status, error: kind, requestId: request_id } = error;
    return { message: error.message + inBrackets(error), hint: error.hint, status, error: kind, request_id };
  }
  if (error instanceof Failure) return { message: error.message, hint: error.hint };
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { message: `a fault inside podio: ${name}: ${message}`, hint: env.PODIO_DEBUG ? stack : undefined };
}

function inBrackets({ status, error, requestId }: PodioError): string {
  const parts = [status > 0 ? `HTTP ${status}` : '', error, requestId ? `request ${requestId}` : ''];
  const text = parts.filter((part) => part !== '').join(', ');
  return text && ` (${text})`;
}

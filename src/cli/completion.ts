import { readdirSync } from 'node:fs';

/** What an option or an argument takes, by the name of its value: `identity`, `file`, `json` … or the words themselves. */
export interface Value {
  readonly kinds: readonly string[];
  readonly choices: readonly string[];
}

/** An option, as the parser knows it. */
export interface CompletionOption {
  readonly flags: readonly string[];
  readonly text: string;
  readonly value?: Value;
  /** Whether it may be left without its value. */
  readonly optional: boolean;
  readonly repeats: boolean;
}

/** A command, as the parser knows it. */
export interface CompletionCommand {
  readonly text: string;
  readonly takesJson?: false;
  readonly options: readonly CompletionOption[];
  readonly arguments: readonly (Value & { readonly variadic: boolean })[];
}

/** Everything that can be completed, but for what is on this machine; made by the build from the declarations. */
export interface CompletionTable {
  readonly commands: Readonly<Record<string, CompletionCommand>>;
  readonly options: readonly CompletionOption[];
  /** The words for a kind of value. */
  readonly words: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What a setting takes, by its key. */
  readonly settings: Readonly<Record<string, Value>>;
  /** Podio's paths, with the ids left open: `/item/{item_id}/value`. */
  readonly paths: readonly string[];
}

/** A word that may stand where the cursor is. */
export interface Candidate {
  readonly word: string;
  readonly text: string;
}

/** What may stand at the cursor; `files`: what the shell itself would offer. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly files: boolean;
}

/** The words before the cursor's, understood as the parser would. */
interface Line {
  readonly name: string | undefined;
  readonly command: CompletionCommand | undefined;
  readonly positionals: readonly string[];
  /** The option that waits for its value. */
  readonly waiting: CompletionOption | undefined;
  readonly given: readonly string[];
  /** Whether `--` was there: no more options. */
  readonly ended: boolean;
}

const NOTHING: Completion = { candidates: [], files: false };
const FILES: Completion = { candidates: [], files: true };

/** What may follow the words, the beginning of it typed already. `identities` is asked only where they may. */
export class Completer {
  readonly #table: CompletionTable;
  readonly #identities: () => readonly Candidate[];

  constructor({ table, identities }: { table: CompletionTable; identities: () => readonly Candidate[] }) {
    this.#table = table;
    this.#identities = identities;
  }

  complete(words: readonly string[], typed: string): Completion {
    const { candidates, files } = this.#all(this.#read(words), typed);
    return { files, candidates: candidates.filter(({ word }) => word.startsWith(typed) && word !== '') };
  }

  #all(line: Line, typed: string): Completion {
    if (line.waiting?.value && !(line.waiting.optional && typed.startsWith('-')))
      return this.#valuesOf(line.waiting.value, '', typed, line);
    const [, flag = '', begun] = /^(--[^=]+)=(.*)$/s.exec(line.ended ? '' : typed) ?? [];
    const option = this.#optionNamed(line.command, flag);
    if (option?.value && begun !== undefined) return this.#valuesOf(option.value, `${flag}=`, begun, line);
    if (typed.startsWith('-') && !line.ended) return this.#options(line);
    return this.#argument(line, typed);
  }

  #read(words: readonly string[]): Line {
    return words.reduce<Line>((line, word) => this.#readWord(line, word), {
      name: undefined,
      command: undefined,
      positionals: [],
      waiting: undefined,
      given: [],
      ended: false,
    });
  }

  #readWord(line: Line, word: string): Line {
    const { waiting } = line;
    if (waiting && !(waiting.optional && word.startsWith('-'))) return { ...line, waiting: undefined };
    if (line.ended || !word.startsWith('-') || word === '-') return this.#readPositional(line, word);
    if (word === '--') return { ...line, ended: true, waiting: undefined };
    const option = this.#optionNamed(line.command, word);
    return { ...line, given: [...line.given, word], waiting: option?.value && option };
  }

  #readPositional(line: Line, word: string): Line {
    if (line.name !== undefined)
      return { ...line, positionals: [...line.positionals, word], waiting: undefined };
    const { commands } = this.#table;
    return { ...line, name: word, command: Object.hasOwn(commands, word) ? commands[word] : undefined };
  }

  #optionNamed(command: CompletionCommand | undefined, flag: string): CompletionOption | undefined {
    const known = [...(command?.options ?? []), ...this.#table.options];
    return known.find(({ flags }) => flags.includes(flag));
  }

  #options({ command, given }: Line): Completion {
    const closed = command?.takesJson === false ? [...given, '--json'] : given;
    const open = [...(command?.options ?? []), ...this.#table.options].filter(
      ({ flags, repeats }) => repeats || !flags.some((flag) => closed.includes(flag)),
    );
    const candidates = open.flatMap(({ flags, text }) => flags.map((word) => ({ word, text })));
    return { candidates: candidates.sort((a, b) => (a.word < b.word ? -1 : 1)), files: false };
  }

  #argument(line: Line, typed: string): Completion {
    if (line.name === undefined) return offered(this.#commandWords());
    const declared = line.command?.arguments ?? [];
    const value = declared[line.positionals.length] ?? declared.findLast(({ variadic }) => variadic);
    return value === undefined ? NOTHING : this.#valuesOf(value, '', typed, line);
  }

  #commandWords(): Candidate[] {
    return Object.entries(this.#table.commands).map(([word, { text }]) => ({ word, text }));
  }

  #valuesOf({ kinds, choices }: Value, prefix: string, typed: string, line: Line): Completion {
    const chosen = offered(choices.map((word) => ({ word, text: '' })));
    const found = [chosen, ...kinds.map((kind) => this.#kind(kind, typed, line))];
    const words = found.flatMap(({ candidates }) => candidates);
    const files = found.some((one) => one.files);
    // A shell completes whole words only: what stands behind a prefix is found here.
    const own = files && prefix !== '' ? filesFrom(typed) : [];
    const candidates = [...words, ...own].map(({ word, text }) => ({ word: prefix + word, text }));
    return { candidates, files: files && prefix === '' };
  }

  #kind(kind: string, typed: string, line: Line): Completion {
    if (kind === 'identity') return offered(this.#identities());
    if (kind === 'file' || kind === 'command') return FILES;
    if (kind === 'json') return typed.startsWith('@') ? filesAfter('@', typed) : NOTHING;
    if (kind === 'k=v') return filesAfter(/^[^=]*=@/.exec(typed)?.[0], typed);
    if (kind === 'path') return offered(this.#pathWords(typed, line));
    if (kind === 'value') return this.#settingValues(line);
    if (kind === 'topic') return offered([...this.#commandWords(), ...this.#wordsFor(kind)]);
    return offered(this.#wordsFor(kind));
  }

  #wordsFor(kind: string): Candidate[] {
    const words = Object.hasOwn(this.#table.words, kind) ? this.#table.words[kind] : undefined;
    return Object.entries(words ?? {}).map(([word, text]) => ({ word, text }));
  }

  #settingValues({ positionals: [, key = ''] }: Line): Completion {
    const { settings } = this.#table;
    const value = Object.hasOwn(settings, key) ? settings[key] : undefined;
    if (value === undefined) return NOTHING;
    const words = value.kinds.flatMap((kind) =>
      kind === 'identity' ? this.#identities() : this.#wordsFor(kind),
    );
    return offered([...words, ...value.choices.map((word) => ({ word, text: '' }))]);
  }

  #pathWords(typed: string, { positionals }: Line): Candidate[] {
    const methods = positionals.length === 0 && !typed.startsWith('/') ? this.#wordsFor('method') : [];
    const isNext = positionals.length === 0 || (positionals.length === 1 && !positionals[0]?.startsWith('/'));
    return isNext ? [...methods, ...nextSteps(this.#table.paths, typed)] : [];
  }
}

function offered(candidates: readonly Candidate[]): Completion {
  return { candidates, files: false };
}

/** The next part of each path that fits what is typed, its ids being anybody's. */
function nextSteps(paths: readonly string[], typed: string): Candidate[] {
  const steps = typed.split('/').slice(0, -1);
  const found = new Map<string, string>();
  for (const path of paths) {
    const parts = path.split('/');
    const next = parts[steps.length];
    const fits = steps.every((step, at) => step === parts[at] || (isOpen(parts[at]) && step !== ''));
    if (!fits || next === undefined || isOpen(next)) continue;
    const more = parts.length > steps.length + 1;
    const word = [...steps, next].join('/') + (more ? '/' : '');
    if (!found.has(word)) found.set(word, path);
  }
  return [...found].map(([word, text]) => ({ word: word === '' ? '/' : word, text }));
}

function isOpen(part: string | undefined): boolean {
  return part?.startsWith('{') ?? false;
}

function filesAfter(prefix: string | undefined, typed: string): Completion {
  if (prefix === undefined) return NOTHING;
  const found = filesFrom(typed.slice(prefix.length));
  return offered(found.map(({ word, text }) => ({ word: prefix + word, text })));
}

// As a shell would: names that begin with a dot only where one is typed, and folders with a slash.
function filesFrom(typed: string): Candidate[] {
  const folder = typed.slice(0, typed.lastIndexOf('/') + 1);
  const begun = typed.slice(folder.length);
  return readdirSync(folder || '.', { withFileTypes: true })
    .filter(({ name }) => name.startsWith(begun) && (begun.startsWith('.') || !name.startsWith('.')))
    .map((entry) => ({ word: `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`, text: '' }));
}

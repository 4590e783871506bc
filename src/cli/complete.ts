import { IdentityRegister, type KnownIdentity, label } from '../session/register.ts';
import { formatAuthType } from '../values/identity.ts';
import { dataFolder, type Environment } from '../values/places.ts';
import { type Candidate, Completer, type Completion, type CompletionTable } from './completion.ts';

/** The process that a shell asks: its arguments, environment and standard output. */
export interface Asked {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly stdout: { write(text: string): unknown };
}

/**
 * Answers a shell: `podio __complete SHELL =TYPED [WORD…]`. A line for each candidate, its meaning after a tab;
 * `:files` where the shell is to offer files. Says nothing of trouble: nobody has asked podio for anything yet.
 */
export function complete({ argv, env, stdout }: Asked, table: CompletionTable): void {
  const [shell = '', typed = '=', ...words] = argv.slice(3);
  const completer = new Completer({ table, identities: () => known(env) });
  const raw = shell === 'bash' ? withoutQuotes : (word: string) => word;
  stdout.write(inLines(attempt(() => completer.complete(words.map(raw), raw(typed.slice(1))))));
}

function attempt(complete: () => Completion): Completion {
  try {
    return complete();
  } catch {
    return { candidates: [], files: false };
  }
}

function known(env: Environment): Candidate[] {
  return registered(env).flatMap((one) => {
    const whole = { word: formatAuthType(one), text: one.apiUrl };
    return one.name === undefined ? [whole] : [{ word: label(one), text: whole.word }, whole];
  });
}

function registered(env: Environment): KnownIdentity[] {
  try {
    return new IdentityRegister({ folder: dataFolder(env) }).list();
  } catch {
    return [];
  }
}

// bash hands over words as they were typed.
function withoutQuotes(word: string): string {
  return word.replace(/\\(.)|["']/gs, '$1');
}

// What comes from a file or a folder may not make a line of its own, nor steer the terminal.
function inLines({ candidates, files }: Completion): string {
  const safe = candidates.filter(({ word }) => !/[\p{Cc}\u2028\u2029]/u.test(word));
  const lines = safe.map(({ word, text }) => `${word}\t${text.replace(/[\p{Cc}]/gu, ' ')}\n`);
  return lines.join('') + (files ? ':files\n' : '');
}

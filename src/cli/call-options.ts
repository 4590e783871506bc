import { UsageError } from '../errors.ts';
import type { RequestOptions } from './call-request.ts';
import type { SaveOptions } from './save.ts';

/** The options of `podio call`: those that make the request, and those that say what becomes of it and of its answer. */
export interface CallOptions extends RequestOptions {
  readonly include?: boolean;
  readonly silent?: boolean;
  readonly output?: string;
  readonly remoteName?: boolean;
  readonly clobber?: boolean;
  readonly jq?: string;
  readonly raw?: boolean;
  readonly paginate?: boolean;
  readonly limit?: string;
  readonly ndjson?: boolean;
  readonly retry?: string;
  readonly retryUnsafe?: boolean;
  readonly wait?: string;
  readonly dryRun?: boolean;
  readonly curl?: boolean;
  readonly json?: boolean;
}

type Name = keyof CallOptions;

const CONFLICTS: readonly (readonly [option: Name, other: Name])[] = [
  ['output', 'remoteName'],
  ['silent', 'output'],
  ['silent', 'remoteName'],
  ['silent', 'jq'],
  ['dryRun', 'curl'],
  ['jq', 'ndjson'],
  ['jq', 'output'],
  ['jq', 'remoteName'],
  ['paginate', 'include'],
  ['paginate', 'remoteName'],
];

const NEEDS: readonly (readonly [option: Name, needed: Name])[] = [
  ['raw', 'jq'],
  ['limit', 'paginate'],
  ['ndjson', 'paginate'],
];

/** Makes sure that the options go together. @throws {UsageError} that names those that do not. */
export function checkTogether(options: CallOptions): void {
  if (options.json) {
    throw new UsageError('call prints the answer as it is, which is JSON, and takes no --json', {
      hint: 'leave --json out; --jq FILTER picks from the answer',
    });
  }
  const conflict = CONFLICTS.find((pair) => pair.every((name) => options[name] !== undefined));
  if (conflict) throw new UsageError(`${conflict.map(dashed).join(' and ')} cannot go together`);
  const lonely = NEEDS.find(([name, needed]) => options[name] !== undefined && options[needed] === undefined);
  if (lonely) throw new UsageError(`${dashed(lonely[0])} goes with ${dashed(lonely[1])}`);
}

function dashed(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The file that the answer goes to; its name is empty where the answer is to give it, undefined for standard output. */
export function savingOf({ output, remoteName, clobber = false }: CallOptions): SaveOptions | undefined {
  if (remoteName) return { file: '', clobber, option: '--remote-name' };
  return output === undefined || output === '-' ? undefined : { file: output, clobber, option: '--output' };
}

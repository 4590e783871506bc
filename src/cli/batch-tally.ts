import type { BatchResult } from '../client/batch.ts';
import type { BatchLine } from '../client/batch-line.ts';
import type { RateLimit } from '../values/rate-limit.ts';
import { exitCodeOf } from './exit-codes.ts';

/** From what concerns one line only to what is wrong with podio itself. */
const WORSE_AND_WORSE = [0, 9, 4, 2, 6, 5, 7, 3, 8, 1];

/** What a batch came to; `--summary` prints it as it is. */
export interface BatchSummary {
  readonly done: number;
  readonly failed: number;
  /** Done by an earlier run, as its journal says. */
  readonly skipped: number;
  /** How many failed in which way, by the word for it. */
  readonly failures: Readonly<Record<string, number>>;
  /** Ids of the lines that were sent and got no answer before the end. */
  readonly unanswered: readonly (string | number)[];
  /** Why not all lines were sent; null where all were. */
  readonly stopped: string | null;
  readonly seconds: number;
  readonly rate_limit: { readonly limit: number; readonly remaining: number } | null;
  readonly exit: number;
}

/** Counts what becomes of a batch's lines. */
export class BatchTally {
  readonly #since = performance.now();
  readonly #failures = new Map<string, number>();
  #done = 0;
  #failed = 0;
  #skipped = 0;
  #exit = 0;

  /** The exit code of the worst line so far. */
  get exit(): number {
    return this.#exit;
  }

  add({ failure }: BatchResult): void {
    if (failure === undefined) {
      this.#done += 1;
      return;
    }
    const { exit, code } = exitCodeOf(failure);
    this.#failed += 1;
    this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1);
    if (WORSE_AND_WORSE.indexOf(exit) > WORSE_AND_WORSE.indexOf(this.#exit)) this.#exit = exit;
  }

  addSkipped(): void {
    this.#skipped += 1;
  }

  summary({ unanswered, stopped, exit, rateLimit }: End): BatchSummary {
    return {
      done: this.#done,
      failed: this.#failed,
      skipped: this.#skipped,
      failures: Object.fromEntries(this.#failures),
      unanswered: unanswered.map(({ id }) => id),
      stopped: stopped ?? null,
      seconds: Math.round(performance.now() - this.#since) / 1000,
      rate_limit: rateLimit ? { limit: rateLimit.limit, remaining: rateLimit.remaining } : null,
      exit,
    };
  }
}

interface End {
  readonly unanswered: readonly BatchLine[];
  readonly stopped: string | undefined;
  readonly exit: number;
  readonly rateLimit: RateLimit | undefined;
}

/** The summary in one line, for people. */
export function inOneLine(summary: BatchSummary): string {
  const { done, failed, skipped, failures, unanswered, stopped, seconds } = summary;
  const kinds = Object.entries(failures).map(([code, count]) => `${count} ${code}`);
  const parts = [
    `${done} done`,
    failed > 0 ? `${failed} failed (${kinds.join(', ')})` : '',
    skipped > 0 ? `${skipped} done before` : '',
    unanswered.length > 0 ? `${unanswered.length} sent without an answer` : '',
    `${seconds.toFixed(1)} s`,
  ];
  const counts = parts.filter((part) => part !== '').join(', ');
  return stopped === undefined || stopped === null
    ? counts
    : `${counts}; stopped, the rest was not sent: ${stopped}`;
}

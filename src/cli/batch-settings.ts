import { readNumber, readTimeout } from './numbers.ts';
import type { SaveOptions } from './save.ts';

/** The options of `podio batch`, as they were typed. */
export interface BatchWords {
  readonly concurrency?: string;
  readonly shared?: boolean;
  readonly unordered?: boolean;
  readonly failFast?: boolean;
  readonly retryUnsafe?: boolean;
  readonly wait?: string;
  readonly minRemaining?: string;
  readonly timeout?: string;
  readonly resume?: string;
  readonly summary?: string;
}

/** How a batch is to be run. */
export interface BatchSettings {
  readonly concurrency: number;
  /** Whether other processes of the identity count among these. */
  readonly isShared: boolean;
  readonly isUnordered: boolean;
  readonly failFast: boolean;
  /** Whether calls that may have been carried out are sent again. */
  readonly retryUnsafe: boolean;
  readonly waitMs: number;
  readonly minRemaining: number;
  readonly timeoutMs: number | undefined;
  readonly journal: string | undefined;
  readonly summary: SaveOptions | undefined;
}

const WHOLE = { least: 0, most: 1_000_000, isWhole: true };
const SECONDS = { least: 0, most: 86_400 };

/** Reads the options. @throws {UsageError} */
export function readBatchSettings(words: BatchWords): BatchSettings {
  const { summary: file } = words;
  return {
    concurrency: readNumber(words.concurrency, '--concurrency', { least: 1, most: 256, isWhole: true }) ?? 4,
    isShared: words.shared ?? false,
    isUnordered: words.unordered ?? false,
    failFast: words.failFast ?? false,
    retryUnsafe: words.retryUnsafe ?? false,
    waitMs: (readNumber(words.wait, '--wait', SECONDS) ?? 0) * 1000,
    minRemaining: readNumber(words.minRemaining, '--min-remaining', WHOLE) ?? 0,
    timeoutMs: readTimeout(words.timeout),
    journal: words.resume,
    summary: file === undefined ? undefined : { file, clobber: true, option: '--summary' },
  };
}

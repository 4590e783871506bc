import { UsageError } from '../errors.ts';

/** The smallest and the largest number that an option takes. */
export interface Bounds {
  readonly least: number;
  readonly most: number;
  /** Whether only whole numbers will do. */
  readonly isWhole?: boolean;
}

/** The number that an option's value is; undefined where the option was not given. @throws {UsageError} */
export function readNumber(text: string | undefined, option: string, bounds: Bounds): number | undefined {
  if (text === undefined) return undefined;
  const { least, most, isWhole = false } = bounds;
  const number = Number(text);
  const fits = /^\d+(\.\d+)?$/.test(text) && number >= least && number <= most;
  if (fits && (!isWhole || Number.isInteger(number))) return number;
  const kind = isWhole ? 'a whole number' : 'a number';
  throw new UsageError(`${option} takes ${kind} from ${least} to ${most}, not "${text.slice(0, 40)}"`);
}

/** The milliseconds that --timeout names in seconds; undefined where it was not given. @throws {UsageError} */
export function readTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (/^\d*\.?\d+$/.test(text) && seconds > 0 && seconds <= 86_400) return Math.ceil(seconds * 1000);
  throw new UsageError(`--timeout takes seconds, more than 0, not "${text.slice(0, 40)}"`);
}

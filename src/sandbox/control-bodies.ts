import { type Action, MOMENTS } from './actions.ts';
import { isJsonObject, type JsonObject } from './json-body.ts';
import { invalidValue } from './refusal.ts';
import type { SeenMatch } from './request-match.ts';
import type { RuleMatch } from './rules.ts';

type Check = (value: unknown) => boolean;

/** What a barrier waits for: that many requests seen that fit. */
export interface Until {
  readonly match: SeenMatch;
  readonly count: number;
}

const isText: Check = (value) => typeof value === 'string';
const isCount: Check = (value) => typeof value === 'number' && value >= 0;
const isMoment: Check = (value) => MOMENTS.some((moment) => moment === value);
const isStatus: Check = (value) => Number.isInteger(value) && Number(value) >= 200 && Number(value) <= 599;
const isBody: Check = (value) => typeof value === 'string' || typeof value === 'object';
const isTexts: Check = (value) => isJsonObject(value) && Object.values(value).every(isText);

const MATCH: Readonly<Record<string, Check>> = {
  method: isText,
  path: isText,
  grant: isText,
  status: isStatus,
  nth: isCount,
  times: isCount,
};

const ACTIONS: Readonly<Record<Action['kind'], Readonly<Record<string, Check>>>> = {
  fail: { kind: isText, status: isStatus, body: isBody, headers: isTexts },
  delay: { kind: isText, ms: isCount },
  hang: { kind: isText, at: isMoment },
  cut: { kind: isText, at: isMoment },
  garbage: { kind: isText, text: isText },
  half: { kind: isText },
};

const NEEDED: Readonly<Partial<Record<Action['kind'], string>>> = { fail: 'status', delay: 'ms' };

/**
 * Reads the `match` of a control request; everything fits where there is none.
 * @throws {Refusal} 400 that names the member at fault, as do the other functions here.
 */
export function readMatch(value: unknown = {}): RuleMatch & SeenMatch {
  return checked(value, 'match', MATCH);
}

/** Reads the `action` of a rule. */
export function readAction(value: unknown): Action {
  const kind = isJsonObject(value) ? value.kind : undefined;
  if (!isKind(kind)) throw invalidValue(`action.kind must be one of ${Object.keys(ACTIONS).join(', ')}`);
  const action: JsonObject & Action = checked(value, 'action', ACTIONS[kind]);
  const needed = NEEDED[kind];
  if (needed !== undefined && action[needed] === undefined) throw invalidValue(`action.${needed} is missing`);
  return action;
}

/** Reads what a barrier waits for; undefined where it waits for its release. */
export function readUntil(value: unknown): Until | undefined {
  if (value === undefined) return undefined;
  return checked(value, 'until', { match: (match) => Boolean(readMatch(match)), count: isCount });
}

function isKind(value: unknown): value is Action['kind'] {
  return typeof value === 'string' && Object.hasOwn(ACTIONS, value);
}

/** The one place where a type is claimed: after each member was checked. */
function checked<T>(value: unknown, what: string, checks: Readonly<Record<string, Check>>): T {
  if (!isJsonObject(value)) throw invalidValue(`${what} must be object`);
  for (const [key, member] of Object.entries(value)) {
    const isGood = Object.hasOwn(checks, key) && checks[key]?.(member);
    if (!isGood) throw invalidValue(`${what}.${key} is not known, or no such value can be had for it`);
  }
  return value as T;
}

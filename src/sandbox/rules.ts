import type { Action } from './actions.ts';
import { type Matchable, matches, type RequestMatch } from './request-match.ts';

/** Which requests a rule is for. */
export interface RuleMatch extends RequestMatch {
  /** Only the nth request that fits, counted from 1 since the rule was made. */
  readonly nth?: number;
  /** How often the rule acts at most. */
  readonly times?: number;
}

/** A rule, and how often it has met and acted on requests. */
export interface Rule {
  readonly match: RuleMatch;
  readonly action: Action;
  readonly met: number;
  readonly acted: number;
}

type OpenRule = { -readonly [Key in keyof Rule]: Rule[Key] };

/** The rules by which the sandbox misbehaves, in the order they were made. */
export class Rules {
  #rules: OpenRule[] = [];

  get list(): readonly Rule[] {
    return this.#rules;
  }

  add(match: RuleMatch, action: Action): Rule {
    const rule = { match, action, met: 0, acted: 0 };
    this.#rules.push(rule);
    return rule;
  }

  clear(): void {
    this.#rules = [];
  }

  /** What to do to a request, in order: any number of delays, and at most one thing that settles it. */
  actionsFor(request: Matchable): Action[] {
    const due = this.#rules.filter((rule) => matches(rule.match, request)).filter(isDue);
    const last = due.findIndex(({ action }) => action.kind !== 'delay');
    const acting = last === -1 ? due : due.slice(0, last + 1);
    for (const rule of acting) rule.acted += 1;
    return acting.map(({ action }) => action);
  }
}

/** Counts a request that fits, and says whether it is one of those to act on. */
function isDue(rule: OpenRule): boolean {
  rule.met += 1;
  const { nth = rule.met, times = Number.POSITIVE_INFINITY } = rule.match;
  return rule.met === nth && rule.acted < times;
}

import { UsageError } from '../errors.ts';

/** One `-f` or `-F`, read: the parts of its name (`''` for `[]`) and its value. */
export interface Field {
  readonly name: string;
  readonly value: unknown;
}

/** Splits `name=value` at the first "=". @throws {UsageError} */
export function splitField(text: string, option: string): readonly [name: string, value: string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new UsageError(`${option} takes name=value, not "${text.slice(0, 40)}"`);
}

/** What a typed field's value means: true, false, null, a number, a JSON array or object, else the text. @throws {UsageError} */
export function typedValue(name: string, text: string): unknown {
  if (NUMBER.test(text)) return numberOf(name, text);
  return /^(?:true|false|null|[[{].*)$/s.test(text) ? jsonOf(name, text) : text;
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

// Rounding an id, or sending null for what is too large, would be to send what nobody wrote.
function numberOf(name: string, text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && (Number.isSafeInteger(number) || /[.eE]/.test(text))) return number;
  throw new UsageError(`the number of ${name} is too large to be sent exactly`, {
    hint: `send it as text with -f ${name}=…, or as it is with -d`,
  });
}

function jsonOf(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`the value of ${name} begins like JSON and is none`, {
      hint: `mend it, or send it as text with -f ${name}=…`,
    });
  }
}

type Container = Map<string, unknown>;

/**
 * The object that fields make together: `k=v`, `k[sub]=v`, `k[]=v`, `k[][sub]=v` as in `gh api`.
 * @throws {UsageError} where two of them contradict each other.
 */
export function nest(fields: readonly Field[]): unknown {
  const root: Container = new Map();
  for (const { name, value } of fields) put(root, partsOf(name), value, name);
  return plain(root);
}

function partsOf(name: string): string[] {
  const match = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name);
  if (!match?.[1])
    throw new UsageError(`"${name}" is not a field's name`, {
      hint: 'as in k=v, k[]=v or k[sub]=v',
    });
  return [match[1], ...[...(match[2] ?? '').matchAll(/\[([^[\]]*)\]/g)].map(([, part = '']) => part)];
}

// An array is a container whose keys are counted; which of the two it is shows in its first key.
function put(container: Container, [part = '', ...rest]: string[], value: unknown, name: string): void {
  const isArray = container.has('');
  if (container.size > 0 && isArray !== (part === '')) throw conflict(name);
  if (part === '') append(container, rest, value, name);
  else if (rest.length > 0) put(innerOf(container, part, name), rest, value, name);
  else if (container.has(part)) throw conflict(name);
  else container.set(part, value);
}

function innerOf(container: Container, part: string, name: string): Container {
  const inner = container.get(part) ?? new Map();
  if (!(inner instanceof Map)) throw conflict(name);
  container.set(part, inner);
  return inner;
}

// A further `k[][sub]` goes into the last element until that has a `sub` already.
function append(container: Container, rest: string[], value: unknown, name: string): void {
  const items = (container.get('') ?? []) as unknown[];
  container.set('', items);
  if (rest.length === 0) {
    items.push(value);
    return;
  }
  const last = items.at(-1);
  const open = last instanceof Map && !last.has(rest[0] ?? '') ? last : undefined;
  const inner: Container = open ?? new Map();
  if (open === undefined) items.push(inner);
  put(inner, rest, value, name);
}

function conflict(name: string): UsageError {
  return new UsageError(`the field ${name} contradicts another one`, {
    hint: 'a field has one value, or is an array (k[]=), or an object (k[sub]=)',
  });
}

// Without a prototype: a field called __proto__ is a field like any other.
function plain(value: unknown): unknown {
  if (!(value instanceof Map)) return value;
  const items: unknown = value.get('');
  if (Array.isArray(items)) return items.map(plain);
  const entries = [...value].map(([key, inner]) => [key, plain(inner)] as const);
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

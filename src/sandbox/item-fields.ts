import { isJsonObject, type JsonObject } from './json-body.ts';
import { invalidValue } from './refusal.ts';

type FieldType = 'text' | 'category' | 'date' | 'number' | 'money';

/** A field as an app's configuration lists it. */
export interface Field {
  /** Its number within the app; `fieldId` makes Podio's id of it. */
  readonly number: number;
  readonly externalId: string;
  readonly type: FieldType;
  readonly label: string;
  readonly description: string;
  readonly required: boolean;
  readonly settings: JsonObject;
}

/** The values of an item, by the external id of their field, as Podio answers them. */
export type FieldValues = ReadonlyMap<string, readonly JsonObject[]>;

/** What a category field may hold. */
export const STATUS_OPTIONS = [
  { status: 'active', text: 'Planned', id: 1, color: 'DCEBD8' },
  { status: 'active', text: 'In progress', id: 2, color: 'FFD5C2' },
  { status: 'active', text: 'Delivered', id: 3, color: 'D1F3EC' },
] as const;

/** The fields of every app of the sandbox. */
export const FIELDS: readonly Field[] = [
  field(1, 'title', 'text', 'Title', { size: 'small', format: 'plain' }, true),
  field(2, 'description', 'text', 'Description', { size: 'large', format: 'html' }),
  field(3, 'status', 'category', 'Status', { multiple: false, display: 'inline', options: STATUS_OPTIONS }),
  field(4, 'due-date', 'date', 'Due date', {
    calendar: true,
    end: 'enabled',
    time: 'enabled',
    color: '3D8BDA',
  }),
  field(5, 'estimate', 'number', 'Estimate in hours', { decimals: 2 }),
  field(6, 'budget', 'money', 'Budget', { allowed_currencies: ['EUR', 'DKK', 'USD'] }),
];

/** Podio's id of a field within an app. */
export function fieldId(appId: number, { number }: Field): number {
  return appId * 100 + number;
}

/**
 * The `fields` of a request to create or change an item, as values to keep; `[]` and null clear a field.
 * @throws {Refusal} 400 `invalid_value` for a field that the app has not, and for a value its type cannot hold.
 */
export function parseFields(appId: number, fields: unknown): FieldValues {
  if (fields === undefined) return new Map();
  if (!isJsonObject(fields)) throw invalidValue('Invalid value for fields: must be object');
  return new Map(Object.entries(fields).map(([key, input]) => fieldEntry(appId, key, input)));
}

function fieldEntry(appId: number, key: string, input: unknown): [string, JsonObject[]] {
  const found = FIELDS.find((one) => one.externalId === key || String(fieldId(appId, one)) === key);
  if (found === undefined) throw invalidValue(`The app with id ${appId} has no field "${key}"`);
  const inputs = Array.isArray(input) ? input : input === null ? [] : [input];
  return [found.externalId, inputs.map((one) => fieldValue(found, one))];
}

const VALUE_OF: Readonly<Record<FieldType, (input: unknown) => JsonObject | undefined>> = {
  text: (input) => (typeof inner(input) === 'string' ? { value: inner(input) } : undefined),
  number: (input) => decimal(inner(input)),
  money: (input) => {
    const value = decimal(inner(input));
    return value && { ...value, currency: isJsonObject(input) ? (input.currency ?? 'EUR') : 'EUR' };
  },
  category: (input) => {
    const option = STATUS_OPTIONS.find(({ id, text }) => id === inner(input) || text === inner(input));
    return option && { value: option };
  },
  date: (input) => {
    const { start, end = null } = isJsonObject(input) ? input : { start: input };
    return isMoment(start) ? { start, start_date: start.slice(0, 10), end } : undefined;
  },
};

function fieldValue(definition: Field, input: unknown): JsonObject {
  const value = VALUE_OF[definition.type](input);
  if (value) return value;
  throw invalidValue(`Invalid value for field "${definition.externalId}": must be ${definition.type}`);
}

function inner(input: unknown): unknown {
  return isJsonObject(input) ? input.value : input;
}

function decimal(input: unknown): JsonObject | undefined {
  const isNumber = typeof input === 'number' || (typeof input === 'string' && /^-?\d+(\.\d+)?$/.test(input));
  return isNumber ? { value: Number(input).toFixed(4) } : undefined;
}

function isMoment(input: unknown): input is string {
  return typeof input === 'string' && /^\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?$/.test(input);
}

function field(
  number: number,
  externalId: string,
  type: FieldType,
  label: string,
  settings: JsonObject,
  required = false,
): Field {
  const description = `The ${label.toLowerCase()} of what we deliver`;
  return { number, externalId, type, label, description, required, settings };
}

import { type Answer, json, noContent } from './answers.ts';
import { FIELDS, type FieldValues, fieldId, parseFields } from './item-fields.ts';
import { itemJson, itemTitle } from './item-json.ts';
import type { Item } from './items.ts';
import { isJsonObject, type JsonObject, jsonObject } from './json-body.ts';
import { invalidValue, notFound, Refusal } from './refusal.ts';
import { checkApp, checkRight } from './rights.ts';
import type { Call } from './router.ts';

const DEFAULT_LIMIT = 30;
const MAX_LIMIT = 500;

/** `GET /item/{id}` */
export function getItem(call: Call): Answer {
  return json(itemJson(itemOf(call, 'view'), call.podio));
}

/**
 * `POST /item/app/{id}/filter/`: `{limit = 30, offset = 0, filters, sort_by, sort_desc}` to
 * `{total, filtered, items}`. Of the filters only those on category fields count; filters on text are ignored
 * without a word, as Podio ignores them.
 */
export function filterItems(call: Call): Answer {
  checkApp(call, 'view');
  const body = jsonObject(call.request);
  const [limit, offset] = [wholeNumber(body, 'limit', DEFAULT_LIMIT), wholeNumber(body, 'offset', 0)];
  if (limit > MAX_LIMIT) throw invalidValue(`Invalid value ${limit} (integer): must be at most ${MAX_LIMIT}`);
  const all = call.podio.items.inApp(call.id);
  const filtered = sorted(all, body).filter((item) => passes(item, body.filters));
  const page = filtered.slice(offset, offset + limit).map((item) => itemJson(item, call.podio));
  return json({ total: all.length, filtered: filtered.length, items: page });
}

/** `POST /item/app/{id}/`: makes an item of `{fields, external_id, tags, file_ids}`. */
export function createItem(call: Call): Answer {
  checkApp(call, 'add_item');
  const body = jsonObject(call.request);
  const values = parseFields(call.id, body.fields);
  checkRequired(values);
  const { items } = call.podio;
  const item = items.add({ appId: call.id, createdBy: call.login.ref, ...itemChange(body), values });
  return json({
    item_id: item.id,
    title: itemTitle(item),
    revision: item.revision,
    link: `${call.podio.origin}/item/${item.id}`,
  });
}

/** `PUT /item/{id}`: changes what is named; 409 where `revision` is no longer the item's. */
export function updateItem(call: Call): Answer {
  const item = itemOf(call, 'update');
  const body = jsonObject(call.request);
  if (body.revision !== undefined && body.revision !== item.revision) throw conflict(item);
  const values = parseFields(item.appId, body.fields);
  const changed = call.podio.items.change(item, { ...itemChange(body), values });
  return json({ revision: changed.revision, title: itemTitle(changed) });
}

/** `DELETE /item/{id}` */
export function deleteItem(call: Call): Answer {
  call.podio.items.delete(itemOf(call, 'delete').id);
  return noContent();
}

function itemOf(call: Call, right: string): Item {
  const item = call.podio.items.find(call.id);
  if (item === undefined) throw notFound(`No item with id ${call.id} could be found`);
  checkRight(call, item.appId, right, `item with id ${item.id}`);
  return item;
}

function checkRequired(values: FieldValues): void {
  const missing = FIELDS.find(({ required, externalId }) => required && !values.get(externalId)?.length);
  if (missing) throw invalidValue(`Field "${missing.externalId}" is required`);
}

function conflict(item: Item): Refusal {
  return new Refusal(409, 'conflict', `The item is at revision ${item.revision} by now`);
}

function itemChange(body: JsonObject): Partial<Pick<Item, 'externalId' | 'tags' | 'fileIds'>> {
  return {
    ...(typeof body.external_id === 'string' && { externalId: body.external_id }),
    ...(Array.isArray(body.tags) && { tags: body.tags.map(String) }),
    ...(Array.isArray(body.file_ids) && { fileIds: body.file_ids.map(Number) }),
  };
}

function wholeNumber(body: JsonObject, name: string, whenAbsent: number): number {
  const value = body[name] ?? whenAbsent;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw invalidValue(`Invalid value for ${name}: must be integer`);
}

function sorted(items: readonly Item[], { sort_by = 'created_on', sort_desc = true }: JsonObject): Item[] {
  const key = (item: Item): string => (sort_by === 'title' ? itemTitle(item) : item.createdOn);
  const ascending = items.toSorted((a, b) => key(a).localeCompare(key(b)) || a.id - b.id);
  return sort_desc === false ? ascending : ascending.toReversed();
}

function passes(item: Item, filters: unknown): boolean {
  if (!isJsonObject(filters)) return true;
  return FIELDS.filter(({ type }) => type === 'category').every((field) => {
    const wanted = filters[field.externalId] ?? filters[String(fieldId(item.appId, field))];
    return !Array.isArray(wanted) || wanted.some((id) => hasOption(item, field.externalId, id));
  });
}

function hasOption(item: Item, externalId: string, id: unknown): boolean {
  return (item.values.get(externalId) ?? []).some(({ value }) => isJsonObject(value) && value.id === id);
}

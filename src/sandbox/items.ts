import { type FieldValues, parseFields } from './item-fields.ts';
import type { Ref } from './tokens.ts';

/** An item of an app. */
export interface Item {
  readonly id: number;
  readonly appId: number;
  /** Its number within the app, the "#12" that people see. */
  readonly appItemId: number;
  readonly externalId: string | null;
  readonly createdBy: Ref;
  /** UTC, `YYYY-MM-DD HH:MM:SS`. */
  readonly createdOn: string;
  readonly revision: number;
  readonly values: FieldValues;
  readonly tags: readonly string[];
  readonly fileIds: readonly number[];
}

/** What an item is made of; the rest comes by itself. */
export type NewItem = Pick<Item, 'appId' | 'createdBy' | 'values'> & Partial<Item>;

/** The items of all apps. */
export class Items {
  readonly #items = new Map<number, Item>();
  #lastId = 0;
  readonly #lastAppItemIds = new Map<number, number>();

  find(id: number): Item | undefined {
    return this.#items.get(id);
  }

  /** The items of an app, newest first, as Podio lists them. */
  inApp(appId: number): Item[] {
    return [...this.#items.values()].filter((item) => item.appId === appId).reverse();
  }

  add(item: NewItem): Item {
    const added: Item = {
      id: this.#lastId + 1,
      appItemId: (this.#lastAppItemIds.get(item.appId) ?? 0) + 1,
      externalId: null,
      createdOn: new Date().toISOString().slice(0, 19).replace('T', ' '),
      revision: 0,
      tags: [],
      fileIds: [],
      ...item,
    };
    this.#lastId = Math.max(this.#lastId, added.id);
    this.#lastAppItemIds.set(added.appId, added.appItemId);
    this.#items.set(added.id, added);
    return added;
  }

  /** Changes what is named and raises the revision; fields that are not named stay as they are. */
  change(item: Item, change: Partial<Pick<Item, 'externalId' | 'values' | 'tags' | 'fileIds'>>): Item {
    const values = new Map([...item.values, ...(change.values ?? [])]);
    const changed = { ...item, ...change, values, revision: item.revision + 1 };
    this.#items.set(item.id, changed);
    return changed;
  }

  delete(id: number): void {
    this.#items.delete(id);
  }
}

/** What a sandbox holds at first. */
export interface SampleOptions {
  readonly appIds: readonly number[];
  /** The id of the first item of the first app; the others follow it. */
  readonly firstItemId: number;
  /** Items in the first app. The others hold five each. */
  readonly count: number;
}

/** Adds sample items, alike in every sandbox. */
export function addSampleItems(items: Items, { appIds, firstItemId, count }: SampleOptions): void {
  let id = firstItemId;
  for (const [index, appId] of appIds.entries()) {
    for (let number = 1; number <= (index === 0 ? count : 5); number += 1) {
      items.add(sampleItem(appId, number, id));
      id += 1;
    }
  }
}

function sampleItem(appId: number, number: number, id: number): NewItem {
  const day = String((number % 28) + 1).padStart(2, '0');
  return {
    id,
    appId,
    appItemId: number,
    externalId: `deliverable-${number}`,
    createdBy: { type: 'app', id: appId },
    createdOn: `2026-01-${day} 09:30:00`,
    tags: ['sandbox', number % 2 === 0 ? 'even' : 'odd'],
    values: parseFields(appId, {
      title: `Deliverable ${number}: Prüfbericht für Ærø`,
      description: `<p>Report number ${number}, checked &amp; signed. 🎉</p><p>“Quotes”, ümläuts and <b>tags</b>.</p>`,
      status: (number % 3) + 1,
      'due-date': { start: `2026-02-${day} 12:00:00`, end: `2026-02-${day} 13:00:00` },
      estimate: number * 1.5,
      budget: { value: number * 100, currency: 'EUR' },
    }),
  };
}

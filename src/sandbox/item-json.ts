import type { SandboxAccounts } from './accounts.ts';
import { FIELDS, type Field, fieldId } from './item-fields.ts';
import type { Item } from './items.ts';
import type { JsonObject } from './json-body.ts';
import type { Podio } from './podio.ts';
import type { Ref } from './tokens.ts';

/** An item as `GET /item/{id}` answers it (developers.podio.com/doc/items/get-item-22360); some 4 KB. */
export function itemJson(item: Item, podio: Podio): JsonObject {
  return {
    ...itemHead(item, podio),
    app: appSummary(item.appId, podio.accounts),
    ...provenance(item, podio),
    fields: FIELDS.filter((field) => item.values.get(field.externalId)?.length).map((field) =>
      fieldJson(field, item),
    ),
    tags: item.tags,
    files: item.fileIds
      .flatMap((id) => podio.files.find(id) ?? [])
      .map(({ id, name }) => ({ file_id: id, name })),
    push: push(item),
  };
}

/** The title of an item: the first value of its title field, or nothing. */
export function itemTitle({ values }: Item): string {
  return String(values.get('title')?.[0]?.value ?? '');
}

/** An app in short, as items and lists name it. */
export function appSummary(appId: number, accounts: SandboxAccounts): JsonObject {
  const name = accounts.apps.find(({ id }) => Number(id) === appId)?.name ?? `App ${appId}`;
  return {
    app_id: appId,
    space_id: 7001,
    status: 'active',
    name,
    item_name: 'Item',
    url_label: name.toLowerCase().replace(/[^a-z0-9]+/g, '-'),
    icon: '251.png',
    default_view_id: null,
    config: { name, item_name: 'Item', type: 'standard', allow_edit: true, icon_id: 251 },
  };
}

function itemHead(item: Item, { origin }: Podio): JsonObject {
  return {
    item_id: item.id,
    app_item_id: item.appItemId,
    app_item_id_formatted: String(item.appItemId),
    external_id: item.externalId,
    title: itemTitle(item),
    link: `${origin}/item/${item.id}`,
    revision: item.revision,
    priority: item.appItemId,
    rights: ['view', 'update', 'delete', 'comment', 'subscribe', 'add_file', 'add_task', 'rate', 'grant'],
    subscribed: false,
    pinned: false,
    comment_count: 0,
    like_count: 0,
    file_count: item.fileIds.length,
    excerpt: { label: 'Description', text: 'Report, checked and signed' },
  };
}

function provenance(item: Item, { accounts }: Podio): JsonObject {
  const author = authorJson(item.createdBy, accounts);
  const via = { id: 1, auth_client_id: 1, name: 'Podio', url: null, display: false };
  const revision = { created_on: item.createdOn, created_by: author, created_via: via, type: 'creation' };
  return {
    created_on: item.createdOn,
    created_by: author,
    created_via: via,
    initial_revision: { revision: 0, item_revision_id: item.id * 10, ...revision },
    current_revision: {
      revision: item.revision,
      item_revision_id: item.id * 10 + item.revision,
      ...revision,
    },
  };
}

function authorJson({ type, id }: Ref, accounts: SandboxAccounts): JsonObject {
  const named =
    type === 'app'
      ? accounts.apps.find((app) => Number(app.id) === id)
      : accounts.users.find((user) => user.id === id);
  return { type, id, name: named?.name ?? null, url: null, image: null, avatar_type: 'icon', avatar: null };
}

function fieldJson(field: Field, item: Item): JsonObject {
  const { externalId, type, label, description, required, settings } = field;
  const config = {
    label,
    description,
    settings,
    required,
    hidden: false,
    visible: true,
    delta: field.number,
  };
  return {
    field_id: fieldId(item.appId, field),
    external_id: externalId,
    type,
    label,
    values: item.values.get(externalId) ?? [],
    config: { ...config, mapping: null, hidden_create_view_edit: false },
  };
}

function push(item: Item): JsonObject {
  const signature = '5ce1d9e3f0b74a86'.repeat(2);
  return { timestamp: 1_767_225_600, expires_in: 21_600, signature, channel: `/item/${item.id}` };
}

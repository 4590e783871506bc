import { type Answer, json, noContent } from './answers.ts';
import { FIELDS, fieldId } from './item-fields.ts';
import { appSummary } from './item-json.ts';
import type { JsonObject } from './json-body.ts';
import { notFound } from './refusal.ts';
import { checkApp } from './rights.ts';
import type { Call } from './router.ts';

/** `GET /app/{id}`, with the app's login token as Podio answers it: whoever prints it prints a secret. */
export function getApp(call: Call): Answer {
  checkApp(call, 'view');
  const app = call.podio.accounts.apps.find(({ id }) => Number(id) === call.id);
  return json({ ...appSummary(call.id, call.podio.accounts), token: app?.token, fields: appFields(call.id) });
}

/** `GET /user/status`, with `calendar_code`, the secret of the user's calendar feed. */
export function userStatus({ podio, login }: Call): Answer {
  const user = podio.accounts.users.find(({ id }) => id === login.ref.id);
  if (user === undefined) throw notFound();
  const { id, username: mail, name } = user;
  return json({
    user: {
      user_id: id,
      mail,
      status: 'active',
      locale: 'en_GB',
      timezone: 'Europe/Copenhagen',
      activated_on: '2026-01-01 08:00:00',
    },
    profile: { profile_id: id + 1000, user_id: id, name, mail: [mail], link: `${podio.origin}/users/${id}` },
    properties: {},
    inbox_new: 0,
    message_unread_count: 0,
    calendar_code: calendarCode(id),
    referral_code: null,
    push: {},
    presence: {},
    betas: [],
  });
}

/** The secret of a user's calendar feed; alike in every sandbox. */
function calendarCode(userId: number): string {
  return `calendar-secret-of-${userId}`;
}

/** `GET /oauth/scope`: what the token may do; the cheapest question for apps and users. */
export function getScope(): Answer {
  return json([{ ref_type: null, ref_id: null, permissions: ['all'], ref_data: null }]);
}

/** `GET /org/`: a bare list with the spaces in it. */
export function listOrganizations({ podio }: Call): Answer {
  const space = {
    space_id: 7001,
    name: 'Sandbox space',
    url: `${podio.origin}/sandbox-org/sandbox-space`,
    role: 'admin',
  };
  const organization = {
    org_id: 6001,
    name: 'Sandbox organization',
    url_label: 'sandbox-org',
    type: 'premium',
    role: 'admin',
    status: 'active',
  };
  return json([{ ...organization, spaces: [space] }]);
}

/** `POST /oauth/grant/invalidate`: ends every token of this login. */
export function endLogin({ podio, login }: Call): Answer {
  podio.tokens.end(login);
  return noContent();
}

/** `POST /oauth/token/invalidate`: ends every token of this app or user, from all its logins. */
export function endAllLogins({ podio, login }: Call): Answer {
  podio.tokens.endAll(login.ref);
  return noContent();
}

function appFields(appId: number): JsonObject[] {
  return FIELDS.map((field) => ({
    field_id: fieldId(appId, field),
    external_id: field.externalId,
    type: field.type,
    label: field.label,
    status: 'active',
    config: {
      label: field.label,
      description: field.description,
      required: field.required,
      settings: field.settings,
    },
  }));
}

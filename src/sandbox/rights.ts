import { forbidden, notFound } from './refusal.ts';
import type { Call } from './router.ts';

/**
 * Refuses a call on an app that the sandbox has not, and one by any app but that app itself.
 * @throws {Refusal} 404 or 403.
 */
export function checkApp(call: Call, right: string): void {
  if (!call.podio.accounts.apps.some(({ id }) => Number(id) === call.id)) throw notFound();
  checkRight(call, call.id, right, `app with id ${call.id}`);
}

/**
 * Refuses apps that reach for what belongs to another app; users may do everything.
 * @throws {Refusal} 403, in the words of Podio.
 */
export function checkRight({ login: { ref } }: Call, appId: number, right: string, what: string): void {
  if (ref.type === 'user' || ref.id === appId) return;
  throw forbidden(`The app with id ${ref.id} does not have the right ${right} on ${what}`);
}

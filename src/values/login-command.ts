import { quoted } from './quoted.ts';
import type { AuthType } from './session-manager.ts';

/** The command that logs this very identity in again, fit to be pasted. */
export function loginCommand({ type, identifier }: AuthType): string {
  if (type === 'app') return `podio login --app ${quoted(identifier)}`;
  return type === 'password'
    ? `podio login --password --username ${quoted(identifier)}`
    : 'podio login --web';
}

import { formatAuthType } from '../values/identity.ts';
import type { PodioOAuth } from '../values/podio-oauth.ts';
import type { AuthType } from '../values/session-manager.ts';
import type { Grant } from './token-endpoint.ts';

/** A whole login: gets a session without asking anybody. */
export type Login =
  | { readonly type: 'app'; readonly appId: string; readonly appToken: string }
  | { readonly type: 'password'; readonly username: string; readonly password: string };

/** The session that a login leads to. */
export function authTypeOf(login: Login): AuthType {
  return { type: login.type, identifier: login.type === 'app' ? login.appId : login.username };
}

/** What a login sends to the token endpoint. */
export function grantOf(login: Login): Grant {
  return login.type === 'app'
    ? { grant_type: 'app', app_id: login.appId, app_token: login.appToken }
    : { grant_type: 'password', username: login.username, password: login.password };
}

/** The login that a session itself remembers: an app's, where its token was kept. */
export function rememberedLogin({ appToken }: PodioOAuth, authType: AuthType): Login | undefined {
  return appToken !== undefined && authType.type === 'app'
    ? { type: 'app', appId: authType.identifier, appToken }
    : undefined;
}

/** Whether a login leads to this very session. */
export function leadsTo(login: Login | undefined, authType: AuthType): login is Login {
  return login !== undefined && formatAuthType(authTypeOf(login)) === formatAuthType(authType);
}

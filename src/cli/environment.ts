import type { Login } from '../client/login.ts';
import { withoutCredentials } from '../values/manager-name.ts';
import type { Environment } from '../values/places.ts';

/** The variables that name a login: the user's own, and nobody's whom podio starts. */
export const LOGIN_VARIABLES: readonly string[] = [
  ...['PODIO_CLIENT_ID', 'PODIO_CLIENT_SECRET', 'PODIO_ACCESS_TOKEN'],
  ...['PODIO_APP_ID', 'PODIO_APP_TOKEN', 'PODIO_USERNAME', 'PODIO_PASSWORD'],
];

/** What a program that podio starts may know of this: all but the login, and the password of a session manager. */
export function forOthers(env: Environment): Environment {
  const others = Object.entries(env).filter(([name]) => !LOGIN_VARIABLES.includes(name));
  return Object.fromEntries(
    others.map(([name, value]) => [name, name === MANAGER ? value && withoutCredentials(value) : value]),
  );
}

const MANAGER = 'PODIO_SESSION_MANAGER';

/** A login that the environment names whole, API key and all. */
export interface EnvironmentLogin {
  readonly clientId: string;
  readonly login: Login;
}

/** The whole logins that the environment names, the app before the user. */
export function environmentLogins(env: Environment): EnvironmentLogin[] {
  const { PODIO_CLIENT_ID: clientId, PODIO_CLIENT_SECRET: clientSecret } = env;
  if (!clientId || !clientSecret) return [];
  return [appLogin(env), passwordLogin(env)]
    .filter((login) => login !== undefined)
    .map((login) => ({ clientId, login }));
}

/** The client secret that the environment names for this API key. */
export function environmentKey(env: Environment, clientId: string): string | undefined {
  return (env.PODIO_CLIENT_ID === clientId && env.PODIO_CLIENT_SECRET) || undefined;
}

function appLogin({ PODIO_APP_ID: appId, PODIO_APP_TOKEN: appToken }: Environment): Login | undefined {
  return appId && appToken ? { type: 'app', appId, appToken } : undefined;
}

function passwordLogin({
  PODIO_USERNAME: username,
  PODIO_PASSWORD: password,
}: Environment): Login | undefined {
  return username && password ? { type: 'password', username, password } : undefined;
}

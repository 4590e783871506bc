/** An API key, as made under *Account settings → API keys*. */
export interface SandboxClient {
  readonly id: string;
  readonly secret: string;
}

/** An app and the token that logs in as it. */
export interface SandboxApp {
  /** Decimal digits. */
  readonly id: string;
  readonly token: string;
  readonly name?: string;
}

/** A person who may log in with a password or on the authorize page. */
export interface SandboxUser {
  readonly id: number;
  /** An e-mail address. */
  readonly username: string;
  readonly password: string;
  readonly name: string;
}

/** Whom the sandbox knows. */
export interface SandboxAccounts {
  readonly clients: readonly SandboxClient[];
  readonly apps: readonly SandboxApp[];
  readonly users: readonly SandboxUser[];
}

/** The accounts of a sandbox that was told of no others: one API key, two apps, two users. */
export const DEFAULT_ACCOUNTS: SandboxAccounts = {
  clients: [{ id: 'podio-sandbox', secret: 'sandbox-client-secret-0uMxGZ7eKqTn4Rb2' }],
  apps: [
    { id: '123456', token: '0f4c1b7a9d2e4836b5c8a1f07e6d3b92', name: 'Deliverables' },
    { id: '234567', token: '7b1e9c03d5f8426aa0e47d92c6b8f315', name: 'Leads' },
  ],
  users: [
    { id: 9001, username: 'ada@example.com', password: 'correct horse battery staple', name: 'Ada Lovelace' },
    { id: 9002, username: 'grace@example.com', password: 'nanoseconds & wires + 100%', name: 'Grace Hopper' },
  ],
};

/**
 * The environment variables with which `podio` logs in to a sandbox: its address and the first API key, app
 * and user. A kind of account that the sandbox has none of is left out.
 */
export function environment(sandbox: {
  readonly url: string;
  readonly accounts: SandboxAccounts;
}): Record<string, string> {
  const { clients, apps, users } = sandbox.accounts;
  const [client, app, user] = [clients[0], apps[0], users[0]];
  return {
    PODIO_API_URL: sandbox.url,
    ...(client && { PODIO_CLIENT_ID: client.id, PODIO_CLIENT_SECRET: client.secret }),
    ...(app && { PODIO_APP_ID: app.id, PODIO_APP_TOKEN: app.token }),
    ...(user && { PODIO_USERNAME: user.username, PODIO_PASSWORD: user.password }),
  };
}

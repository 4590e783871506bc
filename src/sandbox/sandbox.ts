import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { SandboxAccounts } from './accounts.ts';
import type { Action } from './actions.ts';
import type { Until } from './control-bodies.ts';
import type { Hold } from './holds.ts';
import type { RequestMatch, SeenMatch } from './request-match.ts';
import type { Rule, RuleMatch } from './rules.ts';
import type { SeenRequest } from './seen.ts';
import { serve } from './serve.ts';
import { type SandboxOptions, type Stage, setUpStage } from './stage.ts';
import { isTokenPath } from './token-parameters.ts';

export {
  DEFAULT_ACCOUNTS,
  environment,
  type SandboxAccounts,
  type SandboxApp,
  type SandboxClient,
  type SandboxUser,
} from './accounts.ts';
export type { Action, Moment } from './actions.ts';
export type { Until } from './control-bodies.ts';
export type { Hold } from './holds.ts';
export type { RequestMatch, SeenMatch } from './request-match.ts';
export type { Rule, RuleMatch } from './rules.ts';
export type { SeenRequest } from './seen.ts';
export type { SandboxOptions } from './stage.ts';

/**
 * Starts an offline Podio on 127.0.0.1, as strict as the real one is known to be.
 * @throws where the port is taken.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const server = createServer();
  const sockets = trackSockets(server);
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const stage = setUpStage(options, url);
  server.on('request', (incoming, response) => void serve(incoming, response, stage));
  return new Sandbox({ url, stage, server, sockets });
}

interface SandboxParts {
  readonly url: string;
  readonly stage: Stage;
  readonly server: Server;
  readonly sockets: ReadonlySet<Socket>;
}

/** A running sandbox: what it saw, and how to make it misbehave. */
export class Sandbox {
  /** Its origin, without a slash at the end. */
  readonly url: string;
  readonly #stage: Stage;
  readonly #server: Server;
  readonly #sockets: ReadonlySet<Socket>;

  constructor({ url, stage, server, sockets }: SandboxParts) {
    this.url = url;
    this.#stage = stage;
    this.#server = server;
    this.#sockets = sockets;
  }

  get accounts(): SandboxAccounts {
    return this.#stage.podio.accounts;
  }

  /** All requests, in the order of arrival, those of the control paths excepted. */
  get seen(): readonly SeenRequest[] {
    return this.#stage.seen.requests;
  }

  clearSeen(): void {
    this.#stage.seen.clear();
  }

  /** How many requests reached the token endpoints, refused ones too; of one grant where it is named. */
  tokenRequests(grant?: string): number {
    const isMeant = ({ path, grantType }: SeenRequest): boolean =>
      isTokenPath(path) && (grant === undefined || grant === grantType);
    return this.seen.filter(isMeant).length;
  }

  /** Resolves as soon as `count` requests that fit were seen; those seen already count. */
  when(match: SeenMatch, count = 1): Promise<void> {
    return this.#stage.seen.when(match, count);
  }

  /** Makes the sandbox misbehave at requests that fit; of several rules the first that settles the matter acts. */
  rule(match: RuleMatch, action: Action): Rule {
    return this.#stage.rules.add(match, action);
  }

  clearRules(): void {
    this.#stage.rules.clear();
  }

  /** Makes requests that fit wait, until `release` or until `until` is fulfilled (as by `when`). */
  hold(match: RequestMatch, until?: Until): Hold {
    const hold = this.#stage.holds.add(match);
    if (until) this.when(until.match, until.count).then(() => hold.release());
    return hold;
  }

  /** Makes every access token issued so far expired. */
  expireAccessTokens(): void {
    this.#stage.podio.tokens.expireAccess();
  }

  /** Makes every refresh token issued so far expired. */
  expireRefreshTokens(): void {
    this.#stage.podio.tokens.expireRefresh();
  }

  /** Ends all logins: neither their access tokens nor their refresh tokens are good any more. */
  endGrants(): void {
    this.#stage.podio.tokens.endAll();
  }

  /** Every secret there is: of the accounts, and all tokens ever issued. For tests that look for leaks. */
  get secrets(): readonly string[] {
    const { accounts, tokens } = this.#stage.podio;
    const { clients, apps, users } = accounts;
    const known = [
      clients.map((c) => c.secret),
      apps.map((a) => a.token),
      users.map((u) => u.password),
    ].flat();
    return [...known, ...tokens.issued];
  }

  /** Ends everything at once, requests in progress and hanging sockets too. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return sockets;
}

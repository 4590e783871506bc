import * as path from 'node:path';
import { authTypeOf, type Login, leadsTo } from '../client/login.ts';
import { PodioClient } from '../client/podio-client.ts';
import { NotLoggedInError, StoreError, UsageError } from '../errors.ts';
import type { Connections } from '../http/connections.ts';
import { CoolDown } from '../session/cool-down.ts';
import { LimitFile } from '../session/limit-file.ts';
import {
  type Choice,
  chooseSessionManager,
  isManagerName,
  MANAGER_NAMES,
  type ManagerOptions,
  openSessionManager,
} from '../session/managers/index.ts';
import { RateLedger } from '../session/rate-ledger.ts';
import { IdentityRegister, type KnownIdentity, label } from '../session/register.ts';
import { Session } from '../session/session.ts';
import type { Slots } from '../session/slots.ts';
import { identitiesIn } from '../session/strays.ts';
import { formatAuthType, type Identity, isSameIdentity, parseAuthType } from '../values/identity.ts';
import { isRelative, withoutCredentials } from '../values/manager-name.ts';
import { dataFolder } from '../values/places.ts';
import { EMPTY_OAUTH, isEmpty, type PodioOAuth } from '../values/podio-oauth.ts';
import { quoted } from '../values/quoted.ts';
import type { AuthType, SessionManager, SessionScope } from '../values/session-manager.ts';
import { nearest } from '../values/suggest.ts';
import { type GlobalOptions, readSettings, type Settings } from './config.ts';
import { environmentKey, environmentLogins } from './environment.ts';
import { type Io, inManner } from './io.ts';
import { warn } from './output.ts';

/** An identity that is meant by a command; its manager is known once it has logged in here. */
export type MeantIdentity = Identity & Partial<Pick<KnownIdentity, 'name' | 'manager'>>;

/** What a client is made of, here. */
interface ClientParts {
  readonly identity: Identity;
  readonly manager: string;
  readonly clientSecret: string | undefined;
  /** Whether a login keeps the app token with the session. */
  readonly remember?: boolean | undefined;
  /** For whoever makes many calls. */
  readonly connections?: Connections | undefined;
}

/** Where sessions are; or why there is no such place, for those who need one. */
type Place = string | StoreError;

/** What a command works with, put together on demand: the only place that knows how. */
export class Context {
  readonly io: Io;
  readonly settings: Settings;
  readonly #place: Place;
  readonly #managers = new Map<string, Promise<SessionManager>>();
  readonly #withCredentials = new Map<string, string>();
  #own: MeantIdentity | undefined;

  private constructor({ io, settings, place }: { io: Io; settings: Settings; place: Place }) {
    const { sessionManager, usualManager } = settings;
    this.io = io;
    this.settings = {
      ...settings,
      usualManager: this.shownName(usualManager),
      sessionManager: sessionManager && this.shownName(sessionManager),
    };
    this.#place = place;
  }

  /** Reads the settings and names the places. @throws {UsageError} */
  static async create(io: Io, options: GlobalOptions): Promise<Context> {
    const settings = await readSettings(options, io.env, (text) => warn(io, text));
    await checkManagerName(settings.sessionManager);
    const { json, color } = settings;
    return new Context({ io: inManner(io, { json, color }), settings, place: placeOf(io) });
  }

  /** Everybody whose session may lie here: who is registered, and whose register entry was lost. @throws {StoreError} */
  everybody(): KnownIdentity[] {
    const known = this.register.list();
    const strays = identitiesIn(this.#sessions).filter(
      (one) => !known.some((other) => isSameIdentity(one, other)),
    );
    return [...known, ...strays];
  }

  /** Who has logged in here. @throws {StoreError} where there is no place for that. */
  get register(): IdentityRegister {
    return new IdentityRegister({ folder: this.folder });
  }

  /** Where sessions and what belongs to them lie. @throws {StoreError} where no place can be named. */
  get folder(): string {
    if (typeof this.#place === 'string') return this.#place;
    throw this.#place;
  }

  get #sessions(): string {
    return path.join(this.folder, 'sessions');
  }

  /** The API that a call goes to. @throws {NotLoggedInError} */
  apiUrl(): string {
    return this.io.env.PODIO_ACCESS_TOKEN ? this.settings.apiUrl : this.#whose().apiUrl;
  }

  /**
   * A client for the identity that this invocation means, ready to call. Where the environment names a whole login
   * and nothing is stored, it has logged in.
   * @throws {NotLoggedInError}
   */
  async client(connections?: Connections): Promise<PodioClient> {
    const { PODIO_ACCESS_TOKEN: accessToken } = this.io.env;
    if (accessToken) return this.#bareClient(accessToken, connections);
    const meant = this.#whose();
    const { client, manager } = await this.clientFor(meant, connections);
    if (this.register.get(meant) === undefined && manager !== 'memory') {
      await client.session();
      await this.#introduce({ ...meant, manager });
    }
    return client;
  }

  /** A client for one identity, and the name of the manager that keeps its session. */
  async clientFor(
    identity: MeantIdentity,
    connections?: Connections,
  ): Promise<{ client: PodioClient; manager: string }> {
    const { name: manager } = await this.managerName(identity);
    const clientSecret = environmentKey(this.io.env, identity.clientId);
    return {
      client: await this.newClient({ identity, manager, clientSecret, connections }),
      manager,
    };
  }

  /** A client whose session is kept in the manager of that name. */
  async newClient(parts: ClientParts): Promise<PodioClient> {
    const { identity, manager: name, clientSecret, remember, connections } = parts;
    const { apiUrl, clientId, type, identifier } = identity;
    const sessionManager = await this.manager(name, identity);
    return new PodioClient({
      apiUrl,
      clientId,
      clientSecret,
      sessionManager,
      authType: { type, identifier },
      login: this.#environmentLogin(identity),
      keep: { clientSecret: true, appToken: remember ?? false },
      coolDown: new CoolDown({ folder: path.join(this.folder, 'cool-downs'), apiUrl, clientId }),
      ledger: this.#ledgerOf(identity, sessionManager),
      connections,
      now: this.io.now,
    });
  }

  /**
   * The rate budget last seen for an identity, by any process; undefined for an access token that the environment names.
   * @throws {NotLoggedInError} @throws {StoreError} where there is no place for that.
   */
  async ledger(): Promise<RateLedger | undefined> {
    if (this.io.env.PODIO_ACCESS_TOKEN) return undefined;
    const identity = this.#whose();
    const { name } = await this.managerName(identity);
    return this.#ledgerOf(identity, await this.manager(name, identity));
  }

  /** Places for so many calls of all processes of this identity. @throws {UsageError} @throws {StoreError} */
  async slots(most: number): Promise<Slots> {
    if (this.io.env.PODIO_ACCESS_TOKEN)
      throw new UsageError('--shared goes by the identity, and PODIO_ACCESS_TOKEN names none', {
        hint: 'unset PODIO_ACCESS_TOKEN to use the stored session, or leave --shared out',
      });
    const { Slots } = await import('../session/slots.ts');
    return new Slots({ folder: path.join(this.folder, 'slots'), identity: this.#whose(), most });
  }

  #ledgerOf(identity: Identity, manager: SessionManager): RateLedger {
    const folder = path.join(this.folder, 'rate-limits');
    const store = manager.limits?.(identity) ?? new LimitFile({ folder, identity });
    return new RateLedger({ store, now: this.io.now });
  }

  /** The manager of that name; one for all that share API and API key. */
  manager(name: string, { apiUrl, clientId }: SessionScope): Promise<SessionManager> {
    const key = JSON.stringify([name, apiUrl, clientId]);
    const options = {
      apiUrl,
      clientId,
      folder: this.#sessions,
    };
    const manager = this.#managers.get(key) ?? openManager(this.#withCredentials.get(name) ?? name, options);
    this.#managers.set(key, manager);
    return manager;
  }

  /** The name of a manager as it may be shown and remembered; a password in it is known for this invocation. */
  shownName(name: string): string {
    const shown = withoutCredentials(name);
    if (shown !== name) this.#withCredentials.set(shown, name);
    return shown;
  }

  /** Closes what managers have opened. */
  async close(): Promise<void> {
    for (const manager of this.#managers.values()) await (await manager.catch(() => undefined))?.close?.();
  }

  /** Stores a session that was brought from elsewhere. @throws {StoreError} */
  async keep(manager: SessionManager, authType: AuthType, oauth: PodioOAuth): Promise<void> {
    await new Session({ manager, authType }).update(async () => async () => oauth);
  }

  /** Forgets a session in each manager that has it: another than the remembered one may have been named for a while. */
  async forget(identity: MeantIdentity): Promise<void> {
    for (const name of await this.keepers(identity)) {
      await new Session({ manager: await this.manager(name, identity), authType: identity }).forget();
    }
  }

  /** Forgets what the manager of before has, unless it is the same place by another name. @throws {StoreError} */
  async forgetOld(before: KnownIdentity, now: KnownIdentity): Promise<void> {
    const old = await this.manager(before.manager, before);
    const kept = await (await this.manager(now.manager, now)).get(now);
    if ((await old.get(before)).accessToken !== kept.accessToken) await old.set(EMPTY_OAUTH, before);
  }

  /** The managers that may have a session of this identity: first the remembered one. @throws {StoreError} */
  async keepers(identity: MeantIdentity): Promise<string[]> {
    const remembered = identity.manager ?? this.register.get(identity)?.manager;
    const { sessionManager } = this.settings;
    const others = [...MANAGER_NAMES, ...(sessionManager === undefined ? [] : [sessionManager])];
    const names = remembered === undefined ? [] : [remembered];
    for (const name of others.filter((other) => other !== 'auto')) {
      const isKept =
        !names.includes(name) && (await hasSession(await this.manager(name, identity), identity));
      if (isKept) names.push(name);
    }
    return names;
  }

  /** Named now, else remembered for the identity, else the usual one; `auto` is settled to what works here. */
  async managerName(identity: MeantIdentity): Promise<Choice | { name: string; because?: undefined }> {
    const { sessionManager, usualManager } = this.settings;
    const known = identity.manager ?? this.register.get(identity)?.manager;
    const names = [sessionManager, known, usualManager].filter(
      (name) => name !== undefined && name !== 'auto',
    );
    if (names[0] !== undefined) return { name: notRelative(names[0]) };
    const { apiUrl, clientId } = identity;
    return chooseSessionManager({
      apiUrl,
      clientId,
      folder: this.#sessions,
    });
  }

  /**
   * The identity that this invocation means: named, else the default, else the one that the environment logs in.
   * @throws {NotLoggedInError} where there is none.
   */
  identity(text = this.settings.as): MeantIdentity {
    if (text !== undefined) return this.known(text) ?? this.#unknown(text);
    const { apiUrl } = this.settings;
    const found = this.register.default(apiUrl) ?? this.#environmentIdentity();
    if (found !== undefined) return found;
    const others = this.register.list().filter((known) => known.apiUrl === apiUrl);
    throw new NotLoggedInError(`not logged in at ${apiUrl}`, {
      hint:
        others.length > 0
          ? `choose one: ${others.map((known) => `podio switch ${quoted(label(known))}`).join(', or ')}`
          : 'log in: podio login',
    });
  }

  // Looked up once: a call asks for it thrice.
  #whose(): MeantIdentity {
    this.#own ??= this.identity();
    return this.#own;
  }

  /** The identity that logged in here under this name. @throws {UsageError} where the name means several. */
  known(text: string): KnownIdentity | undefined {
    const { apiUrl, apiUrlIsNamed } = this.settings;
    const registered = this.register.find(text);
    const found =
      registered.length > 0 ? registered : this.everybody().filter((known) => formatAuthType(known) === text);
    const here = found.filter((known) => known.apiUrl === apiUrl);
    const fit = apiUrlIsNamed || here.length > 0 ? here : found;
    const own = fit.filter(({ clientId }) => clientId === this.io.env.PODIO_CLIENT_ID);
    const [one, ...more] = own.length > 0 ? own : fit;
    if (more.length === 0) return one;
    throw new UsageError(`"${text}" means several identities: ${fit.map(inFull).join(', ')}`, {
      hint: 'say which with --api-url or PODIO_CLIENT_ID, or give them names: podio login --name NAME',
    });
  }

  /** The name of an identity that was probably meant; undefined where none is near. */
  guess(text: string): string | undefined {
    return nearest(
      text,
      this.everybody().flatMap((known) => [label(known), formatAuthType(known)]),
    );
  }

  #unknown(text: string): MeantIdentity {
    const authType = parseAuthType(text);
    const found = authType && this.#environmentIdentity(authType);
    if (found !== undefined) return found;
    const names = this.everybody().map(label);
    const meant = this.guess(text);
    const guess = meant === undefined ? '' : `did you mean "${meant}"? `;
    throw new NotLoggedInError(`not logged in as "${text}" at ${this.settings.apiUrl}`, {
      hint:
        names.length > 0
          ? `${guess}logged in are: ${names.join(', ')}; see podio status`
          : 'log in: podio login',
    });
  }

  #environmentIdentity(wanted?: AuthType): MeantIdentity | undefined {
    const found = environmentLogins(this.io.env).find(
      ({ login }) => wanted === undefined || leadsTo(login, wanted),
    );
    return (
      found && {
        apiUrl: this.settings.apiUrl,
        clientId: found.clientId,
        ...authTypeOf(found.login),
      }
    );
  }

  #environmentLogin(identity: Identity): Login | undefined {
    return environmentLogins(this.io.env).find(
      ({ clientId, login }) => clientId === identity.clientId && leadsTo(login, identity),
    )?.login;
  }

  #bareClient(accessToken: string, connections?: Connections): PodioClient {
    if (/^[\x21-\x7e]+$/.test(accessToken)) {
      return new PodioClient({
        apiUrl: this.settings.apiUrl,
        clientId: '',
        accessToken,
        connections,
        now: this.io.now,
      });
    }
    throw new UsageError('PODIO_ACCESS_TOKEN holds characters that no token has', {
      hint: 'set it to the token alone, without quotes, spaces or line ends',
    });
  }

  async #introduce(known: KnownIdentity): Promise<void> {
    await this.register.add(known);
    if (this.register.default(known.apiUrl) === undefined) await this.register.choose(known);
  }
}

// One that the settings file names is looked at on use: a wrong word there must not stop doctor and logout.
async function checkManagerName(name = 'auto'): Promise<void> {
  if (name !== 'auto' && !isManagerName(name)) (await ownManagers()).checkModule(name);
}

// In the settings file only: elsewhere a path was made a full one when it was read.
function notRelative(name: string): string {
  if (!isRelative(name)) return name;
  throw new UsageError(`session_manager in the settings file is a relative path: ${name}`, {
    hint: 'give the whole path there: it must mean the same file from any folder',
  });
}

async function openManager(name: string, options: ManagerOptions): Promise<SessionManager> {
  if (isManagerName(name)) return openSessionManager(name, options);
  return (await ownManagers()).openModule(name, options);
}

// Loaded only for those who wrote a manager of their own.
function ownManagers() {
  return import('../session/managers/module.ts');
}

async function hasSession(manager: SessionManager, authType: AuthType): Promise<boolean> {
  if (manager.list === undefined) return !isEmpty(await manager.get(authType));
  return (await manager.list()).some((one) => formatAuthType(one) === formatAuthType(authType));
}

function placeOf({ env }: Io): Place {
  try {
    return dataFolder(env);
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
}

function inFull(identity: KnownIdentity): string {
  return `${formatAuthType(identity)} (API key ${identity.clientId}, ${identity.apiUrl})`;
}

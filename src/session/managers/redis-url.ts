import { UsageError } from '../../errors.ts';

/** How a Redis is laid out: one server (or what stands for one), a set watched by sentinels, or a cluster. */
type Layout = 'single' | 'sentinel' | 'cluster';

/** One address of a Redis. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** What a Redis URL says. */
export interface RedisUrl {
  readonly layout: Layout;
  readonly tls: boolean;
  readonly nodes: readonly RedisNode[];
  /** What the sentinels call the set; empty elsewhere. */
  readonly masterName: string;
  readonly db: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Stands before `_TYPE_IDENTIFIER` in the keys. */
  readonly prefix: string;
  /** The one key of a PHP program that has a key of its own. */
  readonly key: string | undefined;
}

const USUAL_PORTS = { single: 6379, sentinel: 26379, cluster: 6379 };

/** `redis`, `rediss`, and both with `+sentinel` or `+cluster`; the rest in parts, for a host may stand there more than once. */
const FORM =
  /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:([^/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i;

const EXAMPLE = 'write it as redis://HOST:PORT/DB, rediss:// with TLS; options are ?prefix=NAME and ?key=KEY';

/**
 * Reads `redis[s][+sentinel|+cluster]://[USER[:PASSWORD]@]HOST[:PORT][,HOST…][/NAME][/DB][?prefix=…|?key=…]`.
 * @throws {UsageError} where it is no such thing; the message holds nothing of it that may be secret.
 */
export function parseRedisUrl(text: string): RedisUrl {
  const [, s, kind, login, hosts = '', path = '', query] = FORM.exec(text) ?? [];
  if (s === undefined) throw wrong('is not written as one');
  const layout = layoutOf(kind);
  return {
    layout,
    tls: s !== '',
    nodes: nodesOf(hosts, layout),
    ...placeIn(path, layout),
    ...loginOf(login),
    ...namesOf(query),
  };
}

/** The addresses as people write them, without what is secret: `127.0.0.1:6379/2`. */
export function addressOf({ nodes, masterName, db }: RedisUrl): string {
  const hosts = nodes.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`);
  return [hosts.join(','), masterName, db === 0 ? '' : String(db)].filter((part) => part !== '').join('/');
}

function layoutOf(kind = 'single'): Layout {
  const lower = kind.toLowerCase();
  return lower === 'sentinel' || lower === 'cluster' ? lower : 'single';
}

function nodesOf(hosts: string, layout: Layout): RedisNode[] {
  const nodes = (hosts || 'localhost').split(',').map((host) => nodeOf(host, USUAL_PORTS[layout]));
  if (layout === 'single' && nodes.length > 1) throw wrong('names several hosts: say +sentinel or +cluster');
  return nodes;
}

function nodeOf(text: string, usualPort: number): RedisNode {
  const [, v6, name, digits = String(usualPort)] =
    /^(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const [host, port] = [v6 ?? name, Number(digits)];
  if (host === undefined || port < 1 || port > 65_535) throw wrong('does not name a host and port');
  return { host, port };
}

function placeIn(path: string, layout: Layout): Pick<RedisUrl, 'masterName' | 'db'> {
  const parts = path.split('/').filter((part) => part !== '');
  const masterName = layout === 'sentinel' ? plain(parts.shift() ?? 'mymaster') : '';
  const [db = '0', ...more] = parts;
  if (more.length > 0 || !/^\d{1,5}$/.test(db)) throw wrong('names a database that is no number');
  if (layout === 'cluster' && Number(db) > 0) throw wrong('names a database: a cluster has only 0');
  return { masterName, db: Number(db) };
}

function loginOf(login: string | undefined): Pick<RedisUrl, 'username' | 'password'> {
  const [, user = '', password] = /^([^:]*)(?::(.*))?$/s.exec(login ?? '') ?? [];
  return {
    username: plain(user) || undefined,
    password: password === undefined ? undefined : plain(password),
  };
}

function namesOf(query = ''): Pick<RedisUrl, 'prefix' | 'key'> {
  const parameters = new URLSearchParams(query);
  const unknown = [...parameters.keys()].filter((name) => name !== 'prefix' && name !== 'key');
  if (unknown.length > 0) throw wrong('has options that podio does not know');
  const [prefix, key] = [parameters.get('prefix'), parameters.get('key')];
  if (prefix !== null && key !== null) throw wrong('has both a prefix and a key');
  if (prefix === '' || key === '') throw wrong('has an empty prefix or key');
  return { prefix: prefix ?? 'podio_cache', key: key ?? undefined };
}

function plain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('has a "%" that should be "%25"');
  }
}

function wrong(what: string): UsageError {
  return new UsageError(`the URL of Redis ${what}`, { hint: EXAMPLE });
}

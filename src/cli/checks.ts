import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { Failure, StoreError } from '../errors.ts';
import { send } from '../http/http.ts';
import { removeFile } from '../session/files.ts';
import { ensureOwnFolder } from '../session/folders.ts';
import { closeToOthers, type Flaw, inspectFolder } from '../session/inspect.ts';
import { hasKernelLocks } from '../session/kernel-lock.ts';
import { chooseSessionManager } from '../session/managers/index.ts';
import { type KnownIdentity, label } from '../session/register.ts';
import { writeFileSafely } from '../session/reservation.ts';
import { parseJsonObject } from '../values/json.ts';
import { configFolder } from '../values/places.ts';
import { isEmpty, isUsable, type PodioOAuth } from '../values/podio-oauth.ts';
import type { Context } from './context.ts';
import { exitCodeOf } from './exit-codes.ts';

/** What one check found. `exit` is the exit code that the trouble would lead to; 0 for what is well or a remark. */
export interface Finding {
  readonly id: string;
  readonly level: 'ok' | 'warning' | 'error';
  readonly message: string;
  readonly fix?: string | undefined;
  readonly exit: number;
}

/** How thoroughly to look. */
export interface CheckOptions {
  readonly offline: boolean;
  /** Whether to mend the modes of our own files and folders. */
  readonly fix: boolean;
}

/** Everything that can be found out here, in order. No trouble that is foreseen stops it. */
export async function runChecks(context: Context, options: CheckOptions): Promise<Finding[]> {
  const checks = [
    node,
    environment,
    settings,
    store,
    locks,
    keychain,
    identities,
    ...(options.offline ? [] : [network]),
  ];
  const findings: Finding[] = [];
  for (const check of checks) findings.push(...(await foundBy(check, context, options)));
  return findings;
}

type Check = (context: Context, options: CheckOptions) => Promise<Finding[]>;

async function foundBy(check: Check, context: Context, options: CheckOptions): Promise<Finding[]> {
  try {
    return await check(context, options);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [trouble(check.name, error)];
  }
}

function ok(id: string, message: string): Finding {
  return { id, level: 'ok', message, exit: 0 };
}

function warning(id: string, message: string, fix: string): Finding {
  return { id, level: 'warning', message, fix, exit: 0 };
}

function trouble(id: string, error: Failure): Finding {
  return { id, level: 'error', message: error.message, fix: error.hint, exit: exitCodeOf(error).exit };
}

async function node(): Promise<Finding[]> {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= 20) return [ok('node', `Node.js ${process.version}`)];
  return [
    warning('node', `Node.js ${process.version} is older than 20`, 'install a newer one: https://nodejs.org'),
  ];
}

async function environment({ io: { env } }: Context): Promise<Finding[]> {
  const findings: Finding[] = [];
  if (env.PODIO_ACCESS_TOKEN) {
    findings.push(
      warning('environment', 'PODIO_ACCESS_TOKEN hides every session', 'unset PODIO_ACCESS_TOKEN'),
    );
  }
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    const fix = 'unset NODE_TLS_REJECT_UNAUTHORIZED; name a certificate in NODE_EXTRA_CA_CERTS instead';
    findings.push(
      warning('environment', 'certificates are not verified: anybody on the way can read the token', fix),
    );
  }
  return findings.length > 0 ? findings : [ok('environment', 'no variable stands in the way')];
}

async function settings({ io }: Context): Promise<Finding[]> {
  const file = path.join(configFolder(io.env), 'config.json');
  const known = ['api_url', 'session_manager', 'as', 'color', 'no_input'];
  const text = readIfThere(file);
  if (text === undefined) return [ok('settings', `none (${file})`)];
  const values = parseJsonObject(text);
  if (values === undefined)
    return [warning('settings', `${file} is not a JSON object`, `mend it, or remove it: rm ${file}`)];
  const unknown = Object.keys(values).filter((key) => !known.includes(key));
  if (unknown.length === 0) return [ok('settings', file)];
  return [
    warning('settings', `${file} holds unknown keys: ${unknown.join(', ')}`, `known are ${known.join(', ')}`),
  ];
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? undefined : '';
  }
}

async function store({ folder }: Context, { fix }: CheckOptions): Promise<Finding[]> {
  const flaws = inspectFolder(folder);
  const findings = flaws.map((flaw) => (fix && flaw.kind === 'loose-mode' ? mended(flaw) : flawed(flaw)));
  ensureOwnFolder(folder);
  const canary = path.join(folder, `doctor-${process.pid}.json`);
  writeFileSafely(canary, '{}');
  removeFile(canary);
  return findings.length > 0 ? findings : [ok('store', folder)];
}

function mended({ path: place, what }: Flaw): Finding {
  closeToOthers(place);
  return ok('store', `${place} ${what}: mended`);
}

function flawed({ kind, path: place, what }: Flaw): Finding {
  const fixes = {
    'loose-mode': 'podio doctor --fix',
    'foreign-owner': `give it back to its user, or remove it: rm -r ${place}`,
    link: `put the file itself in its place, or remove it: rm ${place}`,
    'damaged-copy': `remove it once you do not need it: rm ${place}`,
    leftover: `remove it: rm ${place}`,
    unreadable: `see ls -ld ${place}`,
  };
  const message = `${place} ${what}`;
  if (kind === 'damaged-copy' || kind === 'leftover') return warning('store', message, fixes[kind]);
  return trouble('store', new StoreError(message, { hint: fixes[kind] }));
}

async function locks(): Promise<Finding[]> {
  if (hasKernelLocks()) return [ok('locks', 'by the kernel')];
  const fix = 'reinstall podio with its dependencies, unless there is no binary for this machine';
  return [
    warning('locks', 'fs-native-extensions does not load; locks in plain Node serve in its place', fix),
  ];
}

async function keychain({ settings: { apiUrl }, folder }: Context): Promise<Finding[]> {
  const { name, because } = await chooseSessionManager({
    apiUrl,
    clientId: '',
    folder: path.join(folder, 'sessions'),
  });
  if (name === 'keychain') return [ok('keychain', 'can be written and read')];
  return [
    warning('keychain', because ?? 'cannot be used', 'none is needed: auto keeps sessions in files then'),
  ];
}

async function identities(context: Context): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const known of context.register.list()) findings.push(await identity(context, known));
  return findings.length > 0 ? findings : [warning('identity', 'nobody is logged in', 'podio login')];
}

// One whose manager is in trouble is no reason to keep quiet about the others.
async function identity(context: Context, known: KnownIdentity): Promise<Finding> {
  const name = `${label(known)} at ${known.apiUrl}`;
  try {
    const oauth = await (await context.manager(known.manager, known)).get(known);
    return state(name, oauth, context.io.now());
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return trouble('identity', error);
  }
}

function state(name: string, oauth: PodioOAuth, now: number): Finding {
  if (isEmpty(oauth)) return warning('identity', `${name} has no session`, 'podio login');
  if (!isUsable(oauth, now)) return warning('identity', `${name} has ended`, 'podio login');
  if (oauth.obtainedAt > now + 300_000)
    return warning('clock', `${name} was got in the future`, 'set the clock');
  return ok('identity', name);
}

async function network({ io, settings: { apiUrl: origin } }: Context): Promise<Finding[]> {
  const asked = io.now();
  const answer = await send({
    method: 'GET',
    origin,
    path: '/oauth/scope',
    timeoutMs: 10_000,
    signal: io.signal,
  });
  answer.body.resume();
  const reached = ok('network', `${origin} answered in ${io.now() - asked} ms`);
  const skew = Math.round((Date.parse(String(answer.headers.date)) - io.now()) / 1000);
  if (Number.isNaN(skew) || Math.abs(skew) < 60) return [reached, ok('clock', 'agrees with the API')];
  const way = skew > 0 ? 'behind' : 'ahead of';
  return [
    reached,
    warning('clock', `the clock is ${Math.abs(skew)} s ${way} the API's`, 'set it: timedatectl set-ntp true'),
  ];
}

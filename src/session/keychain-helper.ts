/*
 * The program that talks to the keychain for `keychain.ts`, which can kill it: a call of keytar's that hangs
 * would keep its own process from ending for 50 s. One request on stdin; on stdout an empty line as soon as
 * the keychain is asked, more of them while it is busy, and the answer; then it ends.
 */
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { isDefaultKeyringLocked, isEntryLocked } from './secret-service.ts';

/** One operation on one entry, as a line of JSON. */
export interface KeychainRequest {
  /** `probe` writes an entry of its own beside this one and removes it again; only one may at a time. */
  readonly operation: 'get' | 'set' | 'delete' | 'probe';
  readonly service: string;
  readonly account: string;
  /** What `set` writes. */
  readonly secret?: string | undefined;
}

/** What came of it, as a line of JSON. A `null` is sure: the entry is not there, and nothing is locked. */
export type KeychainAnswer =
  | { readonly ok: true; readonly secret: string | null }
  | { readonly ok: false; readonly fault: KeychainFault };

/** What can be wrong with a keychain; its own words are never passed on. */
export type KeychainFault =
  | 'locked'
  | 'denied'
  | 'no-answer'
  | 'no-keytar'
  | 'no-library'
  | 'no-bus'
  | 'no-provider'
  | 'no-keyring'
  | 'too-long'
  | 'failed';

/** How keytar and the systems below it put each fault; the first that fits is meant. */
const WORDS: readonly (readonly [RegExp, KeychainFault])[] = [
  [/locked (collection|object)|is locked|user interaction is not allowed/i, 'locked'],
  [/timeout was reached|without replying|not receive a reply/i, 'no-answer'],
  [/cannot find (package|module) '?keytar/i, 'no-keytar'],
  [/native addon|cannot find|cannot open shared object/i, 'no-library'],
  [/\.service files|service unknown|failed to activate|exited with status|not activatable/i, 'no-provider'],
  [/autolaunch|could not connect|connection refused|\baddress\b/i, 'no-bus'],
  [/object does not exist|no such secret collection|keychain could not be found/i, 'no-keyring'],
  [/rejected|denied|dismissed|cancel|not permitted|not correct|authoriz/i, 'denied'],
  [/bad data|too (big|large|long)/i, 'too-long'],
];

class Fault extends Error {
  readonly fault: KeychainFault;

  constructor(fault: KeychainFault) {
    super(fault);
    this.fault = fault;
  }
}

type Entry = Pick<KeychainRequest, 'service' | 'account'>;
type Keytar = typeof import('keytar');

/** What each operation does, once it is sure that what it is about is not locked. */
const OPERATIONS = {
  get: { run: read, isLocked: isEntryLocked },
  set: { run: save, isLocked: isDefaultKeyringLocked },
  delete: { run: remove, isLocked: isEntryLocked },
  probe: { run: probe, isLocked: isDefaultKeyringLocked },
} as const;

let request = '';
// Whoever asked may have been killed: what is being saved is saved all the same.
process.stdout.on('error', () => {});
process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk: string) => {
  request += chunk;
  if (request.endsWith('\n')) void serve(JSON.parse(request));
});

async function serve(request: KeychainRequest): Promise<void> {
  process.stdin.once('end', () => endWithParent(request));
  const answer = await perform(request);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
  process.stdin.destroy();
}

/** Nobody waits any more: only what is being saved may still be finished. A signal, for nothing less ends a hanging call. */
function endWithParent({ operation }: KeychainRequest): void {
  const end = () => process.kill(process.pid, 'SIGKILL');
  if (operation === 'set') setTimeout(end, 3_000).unref();
  else end();
}

async function perform(request: KeychainRequest): Promise<KeychainAnswer> {
  const { run, isLocked } = OPERATIONS[request.operation];
  try {
    // The question is out before keytar is loaded, and answered meanwhile.
    const locked = isLocked(request.service, request.account);
    locked.catch(() => {});
    await turn();
    const { default: keytar } = await import('keytar');
    // From here on it is the keychain that is waited for, and no longer the start of a process.
    process.stdout.write('\n');
    void tellWhileBusy();
    if (await locked) throw new Fault('locked');
    return { ok: true, secret: await run(keytar, request) };
  } catch (error) {
    return { ok: false, fault: faultOf(error) };
  }
}

/** How late an easy answer is where the keychain, or the machine, has much to do. */
const BUSY_MS = 100;

/**
 * Writes an empty line whenever the keychain answers something easy late: then it is busy, and ours will come.
 * One that is stopped answers nothing; one that answers that at once keeps ours waiting for a reason of its own.
 */
async function tellWhileBusy(): Promise<void> {
  while (!process.stdin.destroyed) {
    const due = performance.now() + 500;
    await pause(500, undefined, { ref: false });
    await isDefaultKeyringLocked();
    if (performance.now() - due > BUSY_MS) process.stdout.write('\n');
  }
}

function faultOf(error: unknown): KeychainFault {
  if (error instanceof Fault) return error.fault;
  const words = error instanceof Error ? error.message : '';
  return WORDS.find(([pattern]) => pattern.test(words))?.[1] ?? 'failed';
}

async function read(keytar: Keytar, { service, account }: Entry): Promise<string | null> {
  const secret = await keytar.getPassword(service, account);
  if (secret !== null) return secret;
  // keytar says null of a locked keyring too, and false when it cannot delete; only writing tells.
  if (await isDefaultKeyringLocked()) throw new Fault('locked');
  return tryToWrite(keytar, { service, account: `${account} probe ${process.pid}` });
}

async function save(keytar: Keytar, { service, account, secret = '' }: KeychainRequest): Promise<null> {
  await keytar.setPassword(service, account, secret);
  if ((await keytar.getPassword(service, account)) !== secret) throw new Fault('failed');
  return null;
}

async function remove(keytar: Keytar, { service, account }: Entry): Promise<null> {
  await keytar.deletePassword(service, account);
  if ((await read(keytar, { service, account })) !== null) throw new Fault('failed');
  return null;
}

// One at a time, so always under the same name: what a killed one has left goes with the next.
async function probe(keytar: Keytar, { service, account }: Entry): Promise<null> {
  return tryToWrite(keytar, { service, account: `${account} probe` });
}

async function tryToWrite(keytar: Keytar, canary: Entry): Promise<null> {
  await save(keytar, { operation: 'set', ...canary, secret: 'probe' });
  await keytar.deletePassword(canary.service, canary.account);
  return null;
}

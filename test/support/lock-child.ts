/** A process of the lock's tests: does what it is told by messages, and ends with its parent. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What to do, with which kind of lock at which place. */
export interface LockOrder {
  readonly what: 'hold' | 'release' | 'race' | 'count';
  readonly path: string;
  readonly kernel: boolean;
  /** The file that holders make or count in. */
  readonly file?: string;
  readonly times?: number;
  /** Leaves every other lock as if it had been killed in it; of the plain kind only. */
  readonly dying?: boolean;
}

if (process.argv.includes('without-links')) standOnFileSystemWithoutLinks();
const { acquireLock } = await import('../../src/session/lock.ts');

const say = (message: unknown) => process.send?.(message);
let release = () => {};

const actions: Record<LockOrder['what'], (order: LockOrder) => Promise<unknown>> = {
  async hold({ path, kernel }) {
    release = await acquireLock(path, { kernel });
    return 'held';
  },
  async release() {
    release();
    return 'released';
  },
  /** Takes the lock once and says when, and whether another one was in it at that time. */
  async race({ path, kernel, file = '' }) {
    say('waiting');
    release = await acquireLock(path, { kernel });
    const at = Date.now();
    const alone = await isAlone(file);
    release();
    return { at, alone };
  },
  /** Adds 1 to a file's number, so many times, reading and writing in different turns. */
  async count({ path, kernel, file = '', times = 0, dying = false }) {
    for (let done = 0; done < times; done++) {
      release = await acquireLock(path, { kernel });
      const number = Number(fs.readFileSync(file, 'utf8'));
      await nextTurn();
      fs.writeFileSync(file, String(number + 1));
      if (dying && done % 2 === 0) dieInside(path);
      else release();
    }
    return 'counted';
  },
};

process.on('message', async (order: LockOrder) => say(await actions[order.what](order)));
process.on('disconnect', () => process.exit());
say('ready');

async function isAlone(witness: string): Promise<boolean> {
  try {
    fs.writeFileSync(witness, '', { flag: 'wx' });
  } catch {
    return false;
  }
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  fs.rmSync(witness);
  return true;
}

/** The record left behind names a start of this pid's process that is not ours: whoever it was, it is dead. */
function dieInside(path: string): void {
  const record = JSON.parse(fs.readFileSync(path, 'utf8'));
  fs.writeFileSync(`${path}-${process.pid}`, JSON.stringify({ ...record, startTime: '1' }));
  fs.renameSync(`${path}-${process.pid}`, path);
}

function standOnFileSystemWithoutLinks(): void {
  fs.linkSync = () => {
    throw Object.assign(new Error('link'), { code: 'EPERM' });
  };
  syncBuiltinESMExports();
}

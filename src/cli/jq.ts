import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Failure, UsageError } from '../errors.ts';
import type { JqAnswer, JqRequest } from './jq-worker.ts';

/** A filter that compiles, ready to be run over any number of inputs. */
export interface Filter {
  /** What jq prints for this JSON, a result a line. @throws {Failure} where the filter does not fit the data. */
  readonly run: (json: string) => Promise<string>;
  /** To be called once it is no longer needed. */
  readonly end: () => Promise<unknown>;
}

const COMPILES_NOT = 3;

/**
 * Compiles a filter; `isRaw` prints strings without quotes. It runs in a thread of its own: the signal ends even one that
 * never ends by itself. @throws {UsageError} where jq does not understand it.
 */
export async function compiled(filter: string, isRaw: boolean, signal: AbortSignal): Promise<Filter> {
  const worker = startWorker();
  const end = () => worker.terminate();
  const ask = (request: JqRequest) => asked(worker, request, signal);
  try {
    // Never run: an endless filter must not run before there is anything to run it on.
    checkCompiled(await ask({ args: ['-n', `empty | (\n${filter}\n)`], input: '' }));
  } catch (error) {
    await end();
    throw error;
  }
  const args = [isRaw ? '-r' : '-M', filter];
  return { run: async (input) => printed(await ask({ args, input })), end };
}

// Built to the same folder, in the same form, as this file; tests run both as they are written.
function startWorker(): Worker {
  const here = fileURLToPath(import.meta.url);
  const program = join(dirname(here), `jq-worker${extname(here)}`);
  // What jq's own runtime says of its end is not for the user.
  if (extname(here) !== '.ts') return new Worker(program, { stderr: true });
  const code = `require('tsx/cjs'); require(${JSON.stringify(program)})`;
  return new Worker(code, { eval: true, stderr: true });
}

function asked(worker: Worker, request: JqRequest, signal: AbortSignal): Promise<JqAnswer> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    const breakOff = (error: Error) => reject(brokenOff(error));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    worker.once('error', breakOff).once('message', (answer: JqAnswer) => {
      signal.removeEventListener('abort', stop);
      worker.off('error', breakOff);
      resolve(answer);
    });
    worker.postMessage(request);
  });
}

// Without a cause: it may quote the answer.
function brokenOff({ message }: Error): Failure {
  const why = message.startsWith('Aborted') ? 'the filter takes too much memory' : firstLine(message);
  return new Failure(`--jq broke off: ${why}`, {
    hint: 'the call was made; see the answer without --jq',
  });
}

function checkCompiled({ status, stderr }: JqAnswer): void {
  if (status === 0) return;
  throw new UsageError(`--jq: ${firstLine(stderr)}`, { hint: 'see https://jqlang.org/manual' });
}

function printed({ status, stdout, stderr }: JqAnswer): string {
  if (status === 0) return stdout;
  if (status === COMPILES_NOT) throw new UsageError(`--jq: ${firstLine(stderr)}`);
  throw new Failure(`--jq does not fit the answer: ${firstLine(stderr)}`, {
    hint: 'the call was made; see the answer without --jq',
  });
}

function firstLine(stderr: string): string {
  const [line = ''] = stderr.split('\n');
  return line.replace(/^jq: error(?: \(at [^)]*\))?: /, '').replace(/ at <top-level>, line \d+:?$/, '');
}

import { setMaxListeners } from 'node:events';
import { Readable } from 'node:stream';
import {
  Batch,
  type BatchAnswer,
  type BatchEnd,
  type BatchResult,
  type Verdict,
  wholeBody,
} from '../client/batch.ts';
import { type BatchLine, readBatchLine } from '../client/batch-line.ts';
import type { ApiCall, PodioClient } from '../client/podio-client.ts';
import { RateGate } from '../client/rate-gate.ts';
import { retried } from '../client/retry.ts';
import { ConnectionError, Failure, NotLoggedInError, StoreError, UsageError } from '../errors.ts';
import { Connections } from '../http/connections.ts';
import { LineWriter, resultLine } from './batch-output.ts';
import type { BatchSettings } from './batch-settings.ts';
import { type BatchSummary, BatchTally, inOneLine } from './batch-tally.ts';
import type { Context } from './context.ts';
import { exitCodeOf } from './exit-codes.ts';
import type { Journal } from './journal.ts';
import { linesOf } from './lines.ts';
import { OutputClosed, say, visible } from './output.ts';
import { Progress } from './progress.ts';
import { save } from './save.ts';

/** What a run is made of. */
export interface BatchRunOptions {
  readonly context: Context;
  readonly settings: BatchSettings;
  readonly input: Readable;
  readonly journal: Journal | undefined;
  /** How many lines there are; undefined where nobody knows. */
  readonly total: number | undefined;
}

/** How often a call is sent again that a moment may mend, as by `podio call`. */
const RETRIES = 2;

/** How long answers that are on their way are waited for once a signal has asked for the end. */
const GRACE_MS = 3000;

/** One run of `podio batch`: lines in, lines out, and what is told of it. */
export class BatchRun {
  readonly #options: BatchRunOptions;
  readonly #tally = new BatchTally();
  readonly #writer: LineWriter;
  readonly #progress: Progress | undefined;
  /** Aborts what is in flight. */
  readonly #hangUp = new AbortController();

  constructor(options: BatchRunOptions) {
    this.#options = options;
    const { context, input, total } = options;
    const { io } = context;
    // Answers that go to the terminal themselves tell enough.
    if (!io.stdout.isTTY) this.#progress = new Progress(io, { what: 'done', unit: 'calls', total });
    // Each call in flight listens to it.
    setMaxListeners(0, this.#hangUp.signal);
    // Where nobody reads any more, nothing more is to be read either.
    this.#writer = new LineWriter({ stream: io.stdout, onError: () => input.destroy() });
  }

  /** Resolves with the exit code. @throws what ended it before its end, once all that was answered is printed. */
  async run(): Promise<number> {
    const { context, input } = this.#options;
    using connections = new Connections(this.#hangUp.signal);
    const client = await context.client(connections);
    using _ = this.#endingAt(context.io.signal);
    const end = await (await this.#batch(client)).run();
    input.destroy();
    await this.#writer.end();
    this.#progress?.end();
    if (client.rateLimit) await (await context.ledger())?.keep(client.rateLimit);
    return this.#conclude(end, client);
  }

  async #batch(client: PodioClient): Promise<Batch> {
    const { context, settings } = this.#options;
    return new Batch({
      ...settings,
      lines: this.#lines(),
      send: (call, line, onAttempt) => this.#send(client, call, line, onAttempt),
      rateLimit: () => client.rateLimit,
      gate: await this.#gate(),
      place: await this.#places(),
      judge: (line) => this.#judge(line),
      onResult: (result) => this.#print(result),
      room: () => this.#writer.room(),
      signal: context.io.signal,
      onStop: () => this.#options.input.destroy(),
    });
  }

  async *#lines(): AsyncGenerator<BatchLine> {
    for await (const { text, number } of linesOf(this.#options.input, 'batch'))
      yield readBatchLine(text, number);
  }

  async #gate(): Promise<RateGate> {
    const { context, settings } = this.#options;
    const { minRemaining, waitMs } = settings;
    const onWait = (seconds: number) => {
      this.#progress?.end();
      say(context.io, `batch: waiting ${seconds} s for the rate limit`);
    };
    const known = await (await context.ledger())?.last();
    return new RateGate({ minRemaining, waitMs, known, onWait });
  }

  async #places(): Promise<((signal: AbortSignal) => Promise<() => void>) | undefined> {
    const { context, settings } = this.#options;
    if (!settings.isShared) return undefined;
    const slots = await context.slots(settings.concurrency);
    return (signal) => slots.take(signal);
  }

  // Signals of the user's do not reach a call at once: what is on its way is given a moment to be answered.
  async #send(
    client: PodioClient,
    call: ApiCall,
    line: BatchLine,
    onAttempt: () => void,
  ): Promise<BatchAnswer> {
    const { journal, settings } = this.#options;
    if (isUnsafe(call)) journal?.note(line, 'sent');
    const request = { ...call, timeoutMs: settings.timeoutMs };
    const once = async (): Promise<BatchAnswer> => {
      onAttempt();
      const answer = await client.call(request);
      if (answer.attempts > 1) onAttempt();
      // Here, where an answer that breaks off is asked for again.
      return answer.status < 300 ? { ...answer, whole: await wholeBody(answer) } : answer;
    };
    // The rate limit is not waited for here, but at the gate: by all calls together.
    const policy = {
      method: call.method,
      retries: RETRIES,
      isUnsafeAllowed: false,
      wait: 0,
      signal: this.#hangUp.signal,
    };
    try {
      return await retried(once, policy);
    } catch (error) {
      if (isUnsafe(call) && wasNeverSent(error)) journal?.note(line, 'new');
      throw error;
    }
  }

  #judge(line: BatchLine): Verdict {
    const { journal, settings } = this.#options;
    const verdict = journal?.judge(line, settings.retryUnsafe) ?? 'send';
    if (verdict !== 'skip') return verdict;
    this.#tally.addSkipped();
    this.#progress?.add(1);
    return verdict;
  }

  // It is done once it is printed: a run that is killed in between leaves it to the next.
  #print(result: BatchResult): void {
    this.#tally.add(result);
    this.#progress?.add(1);
    const state = stateAfter(result);
    const onWritten = () => state && this.#options.journal?.note(result.line, state);
    this.#writer.add({ line: resultLine(result), onWritten });
  }

  #endingAt(signal: AbortSignal): Disposable {
    let timer: NodeJS.Timeout | undefined;
    const end = () => {
      this.#options.input.destroy();
      timer = setTimeout(() => this.#hangUp.abort(signal.reason), GRACE_MS);
    };
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    return {
      [Symbol.dispose]() {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
      },
    };
  }

  async #conclude(end: BatchEnd, client: PodioClient): Promise<number> {
    const { reason, unanswered, isTold } = end;
    const exit = reason === undefined || isTold ? this.#tally.exit : exitCodeOf(reason).exit;
    const { code } = exitCodeOf(reason);
    const stopped = reason === undefined ? undefined : isTold ? 'first_failure' : code;
    const summary = this.#tally.summary({ unanswered, stopped, exit, rateLimit: client.rateLimit });
    await this.#tell(summary, end);
    if (reason === undefined || isTold) return exit;
    throw reason;
  }

  async #tell(summary: BatchSummary, { unanswered, reason }: BatchEnd): Promise<void> {
    const { io } = this.#options.context;
    const { summary: place } = this.#options.settings;
    const never = new AbortController().signal;
    if (place) await save(Readable.from([`${JSON.stringify(summary, undefined, 2)}\n`]), place, never);
    // Whoever has read enough wants to hear no more.
    if (reason instanceof OutputClosed) return;
    for (const line of unanswered.slice(0, MOST_NAMED))
      say(io, visible(`batch: no answer came to ${named(line)}`));
    say(io, `batch: ${inOneLine(summary)}`);
  }
}

/** So many lines are named, and counted beyond that. */
const MOST_NAMED = 256;

function named({ number, call }: BatchLine): string {
  return call instanceof Failure ? `line ${number}` : `line ${number}, ${call.method} ${call.path}`;
}

function isUnsafe({ method }: ApiCall): boolean {
  return ['POST', 'PATCH', 'DELETE'].includes(method);
}

function wasNeverSent(error: unknown): boolean {
  if (error instanceof ConnectionError) return !error.wasSent;
  return error instanceof UsageError || error instanceof NotLoggedInError || error instanceof StoreError;
}

// A refusal (4xx) has done nothing: the next run sends it again. A failure (5xx) may have done it all the same.
function stateAfter({ line, status, failure }: BatchResult): 'done' | 'new' | undefined {
  if (failure === undefined) return 'done';
  const isRefusal = status !== undefined && status >= 400 && status < 500;
  return isRefusal && !(line.call instanceof Failure) && isUnsafe(line.call) ? 'new' : undefined;
}

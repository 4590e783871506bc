import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { ConnectionError, type Failure, UsageError } from '../errors.ts';
import { acquireLock } from '../session/lock.ts';
import { parseJsonObject } from '../values/json.ts';
import { linesOf, type NumberedLine } from './lines.ts';

/** What is known of a line: nothing, sent and not (yet) answered for certain, done. */
const STATES = ['new', 'sent', 'done'] as const;

type State = (typeof STATES)[number];

const OPTION = '--resume';

// Whose place for it is a folder of everybody's must not be led into a file of his own, nor be kept waiting by a pipe.
const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = fs.constants;

/**
 * Which lines of a batch have been done, in a file that grows with each: whoever runs the batch again, after ^C or a
 * crash, sends only the others. Holds no request and no answer. A crash of podio loses nothing of it, a power cut the
 * last seconds.
 */
export class Journal implements Disposable {
  readonly #fd: number;
  readonly #release: () => void;
  readonly #known = new KnownLines();

  private constructor({ fd, release }: { fd: number; release: () => void }) {
    this.#fd = fd;
    this.#release = release;
  }

  /** Opens the journal in this file, or begins one. @throws {UsageError} for another kind of file. @throws {StoreError} where another process has it. */
  static async open(file: string): Promise<Journal> {
    const fd = openJournal(file);
    const journal = new Journal({ fd, release: await acquireLock(`${file}.lock`, { timeoutMs: 0 }) });
    try {
      await journal.#read(file);
      return journal;
    } catch (error) {
      journal[Symbol.dispose]();
      throw error;
    }
  }

  /** What is to be done with a line, as far as earlier runs go. */
  judge(line: NumberedLine, mayRepeat: boolean): 'send' | 'skip' | Failure {
    const { state, hash } = this.#known.get(line.number);
    if (state === 'new') return 'send';
    if (hash !== hashOf(line.text)) return otherLine(line);
    if (state === 'done') return 'skip';
    return mayRepeat ? 'send' : unsettled(line);
  }

  /** Notes what has become of a line. */
  note(line: NumberedLine, state: State): void {
    const hash = hashOf(line.text).toString(16);
    fs.writeSync(this.#fd, `${JSON.stringify({ line: line.number, state, hash })}\n`);
  }

  async #read(file: string): Promise<void> {
    for await (const { text } of linesOf(fs.createReadStream(file), OPTION))
      if (!this.#known.learn(text) && !isHalf(text)) throw noJournal(file);
    if (fs.fstatSync(this.#fd).size > 0) fs.writeSync(this.#fd, '\n');
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#fd);
    this.#release();
  }
}

// What a run that was killed has written last.
function isHalf(text: string): boolean {
  return START.startsWith(text.slice(0, START.length));
}

const START = '{"line":';

/** State and hash of each line, by its number: five bytes for each. */
class KnownLines {
  #states = new Uint8Array(1024);
  #hashes = new Uint32Array(1024);

  get(number: number): { state: State; hash: number } {
    return { state: STATES[this.#states[number] ?? 0] ?? 'new', hash: this.#hashes[number] ?? 0 };
  }

  /** Reads an entry; answers whether it is one. */
  learn(text: string): boolean {
    const { line, state, hash } = parseJsonObject(text) ?? {};
    const known = (STATES as readonly unknown[]).indexOf(state);
    if (!isLineNumber(line) || known < 0 || typeof hash !== 'string') return false;
    this.#grow(line);
    this.#states[line] = known;
    this.#hashes[line] = Number.parseInt(hash, 16);
    return true;
  }

  #grow(number: number): void {
    if (number < this.#states.length) return;
    const [states, hashes] = [new Uint8Array(2 * number), new Uint32Array(2 * number)];
    states.set(this.#states);
    hashes.set(this.#hashes);
    [this.#states, this.#hashes] = [states, hashes];
  }
}

function isLineNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 2 ** 31;
}

function hashOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE();
}

function openJournal(file: string): number {
  try {
    const fd = fs.openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
    if (fs.fstatSync(fd).isFile()) return fd;
    fs.closeSync(fd);
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown trouble';
    throw new UsageError(`${OPTION}: cannot write ${file} (${why})`, { cause });
  }
  throw noJournal(file);
}

function noJournal(file: string): UsageError {
  return new UsageError(`${OPTION}: ${file} is not the journal of a batch`, {
    hint: 'name a file that an earlier run with --resume has written, or one that is not there yet',
  });
}

function otherLine({ number }: NumberedLine): UsageError {
  return new UsageError(`line ${number} is not the one that the journal knows`, {
    hint: 'give the same lines as before, or another journal with --resume',
  });
}

function unsettled({ number }: NumberedLine): ConnectionError {
  return new ConnectionError(`line ${number} was sent by an earlier run, which got no answer to it`, {
    hint: 'see whether it was done; to send it again, run once more with --retry-unsafe',
  });
}

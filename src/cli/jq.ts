import createJq from 'jq-wasm/dist/build/jq.js';
import { Failure, UsageError } from '../errors.ts';

/** jq as its WebAssembly build gives it, the parts that are used here. */
interface Program {
  /** Runs it once over what its standard input brings; answers its exit status. */
  readonly callMain: (args: string[]) => number;
}

/** A filter that compiles, ready to be run over any number of inputs. */
export interface Filter {
  /** What jq prints for this JSON, a result a line. @throws {Failure} where the filter does not fit the data. */
  readonly run: (json: string) => string;
}

const COMPILES_NOT = 3;

/** Compiles a filter; `isRaw` prints strings without quotes. @throws {UsageError} where jq does not understand it. */
export async function compiled(filter: string, isRaw: boolean): Promise<Filter> {
  const jq = await Jq.load();
  // Never run: an endless filter must not run before there is anything to run it on.
  const { status, stderr } = jq.run(['-n', `empty | (\n${filter}\n)`], '');
  if (status !== 0) {
    throw new UsageError(`--jq: ${firstLine(stderr)}`, { hint: 'see https://jqlang.org/manual' });
  }
  return { run: (json) => filtered(jq, [isRaw ? '-r' : '-M', filter], json) };
}

function filtered(jq: Jq, args: readonly string[], json: string): string {
  const { status, stdout, stderr } = jq.run(args, json);
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

type Imports = Readonly<Record<string, Record<string, unknown>>>;
type Instance = { readonly instance: { readonly exports: Readonly<Record<string, unknown>> } };
type Memory = { readonly buffer: ArrayBuffer };

/** What of the global WebAssembly is used here: no type library for Node has it. */
interface Wasm {
  instantiate: (code: unknown, imports: Imports) => Promise<Instance>;
}

/** The functions by which a WebAssembly program reads and writes (WASI fd_read and fd_write). */
type Transfer = (fd: number, vectors: number, count: number, done: number) => number;

/**
 * jq with its standard streams in our hands: the package's own take time with the square of the length, and drop the
 * error of a filter that has printed something before.
 */
class Jq {
  #program: Program | undefined;
  #memory: Memory | undefined;
  #input = Buffer.alloc(0);
  readonly #output: { 1: Buffer[]; 2: Buffer[] } = { 1: [], 2: [] };

  static async load(): Promise<Jq> {
    const jq = new Jq();
    const { WebAssembly: wasm } = globalThis as unknown as { WebAssembly: Wasm };
    const { instantiate } = wasm;
    wasm.instantiate = async (code, imports) => {
      jq.#takeStreams(imports);
      const made = await instantiate(code, imports);
      jq.#memory = Object.values(made.instance.exports).find(isMemory);
      return made;
    };
    try {
      jq.#program = await createJq();
    } finally {
      wasm.instantiate = instantiate;
    }
    return jq;
  }

  run(args: readonly string[], input: string): { status: number; stdout: string; stderr: string } {
    this.#input = Buffer.from(input);
    this.#output[1] = [];
    this.#output[2] = [];
    const status = this.#program?.callMain(['-c', ...args]) ?? 1;
    const text = (fd: 1 | 2) => Buffer.concat(this.#output[fd]).toString();
    return { status, stdout: text(1), stderr: text(2) };
  }

  #takeStreams(imports: Imports): void {
    for (const group of Object.values(imports)) {
      for (const [name, value] of Object.entries(group)) {
        if (typeof value !== 'function') continue;
        if (value.name === '_fd_read') group[name] = this.#read;
        if (value.name === '_fd_write') group[name] = this.#write;
      }
    }
  }

  readonly #read: Transfer = (_, vectors, count, done) => {
    const moved = this.#eachVector(vectors, count, (place) => {
      const length = this.#input.copy(place);
      this.#input = this.#input.subarray(length);
      return length;
    });
    return this.#tell(done, moved);
  };

  readonly #write: Transfer = (fd, vectors, count, done) => {
    const moved = this.#eachVector(vectors, count, (place) => {
      this.#output[fd === 1 ? 1 : 2].push(Buffer.from(place));
      return place.length;
    });
    return this.#tell(done, moved);
  };

  #eachVector(vectors: number, count: number, move: (place: Buffer) => number): number {
    const buffer = this.#memory?.buffer ?? new ArrayBuffer(0);
    const view = new DataView(buffer);
    let moved = 0;
    for (let at = vectors; at < vectors + count * 8; at += 8) {
      moved += move(Buffer.from(buffer, view.getUint32(at, true), view.getUint32(at + 4, true)));
    }
    return moved;
  }

  #tell(done: number, moved: number): number {
    new DataView(this.#memory?.buffer ?? new ArrayBuffer(4)).setUint32(done, moved, true);
    return 0;
  }
}

function isMemory(one: unknown): one is Memory {
  return typeof one === 'object' && one !== null && 'buffer' in one;
}

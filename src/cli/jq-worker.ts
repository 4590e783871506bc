import { parentPort } from 'node:worker_threads';
import createJq from 'jq-wasm/dist/build/jq.js';

/** One run of jq: its arguments, and what its standard input brings. */
export interface JqRequest {
  readonly args: readonly string[];
  readonly input: string;
}

/** What came of it. */
export interface JqAnswer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** jq as its WebAssembly build gives it, the parts that are used here. */
interface Program {
  /** Runs it once over what its standard input brings; answers its exit status. */
  readonly callMain: (args: string[]) => number;
}

type Imports = Readonly<Record<string, Record<string, unknown>>>;
type Instance = { readonly instance: { readonly exports: Readonly<Record<string, unknown>> } };
type Memory = { readonly buffer: ArrayBuffer };

/** What of the global WebAssembly is used here: no type library for Node has it. */
interface Wasm {
  instantiate: (code: unknown, imports?: Imports) => Promise<Instance>;
}

/** The functions by which a WebAssembly program reads and writes (WASI fd_read and fd_write). */
type Transfer = (fd: number, vectors: number, count: number, done: number) => number;

// A filter without end must not take the machine's memory before somebody stops it.
const LONGEST_PRINTED = 256 * 1024 * 1024;

/**
 * jq with its standard streams in our hands: the package's own take time with the square of the length, and drop the
 * error of a filter that has printed something before.
 */
class Jq {
  #program: Program | undefined;
  #memory: Memory | undefined;
  #input = Buffer.alloc(0);
  readonly #output: { 1: Buffer[]; 2: Buffer[] } = { 1: [], 2: [] };
  #printed = 0;

  static async load(): Promise<Jq> {
    const jq = new Jq();
    const { WebAssembly: wasm } = globalThis as unknown as { WebAssembly: Wasm };
    const { instantiate } = wasm;
    wasm.instantiate = async (code, imports) => {
      // Some other program's: jq has imports.
      if (imports === undefined) return instantiate(code);
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

  run({ args, input }: JqRequest): JqAnswer {
    this.#input = Buffer.from(input);
    this.#output[1] = [];
    this.#output[2] = [];
    this.#printed = 0;
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
    this.#printed += moved;
    if (this.#printed > LONGEST_PRINTED) throw new Error('it makes more than 256 MiB of one answer');
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

const jq = Jq.load();
parentPort?.on('message', (request: JqRequest) => {
  void jq.then((loaded) => parentPort?.postMessage(loaded.run(request)));
});

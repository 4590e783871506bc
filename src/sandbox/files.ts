/** A file that was uploaded. */
export interface StoredFile {
  readonly id: number;
  readonly name: string;
  readonly mimetype: string;
  readonly content: Buffer;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** The uploaded files; they live in memory and end with the sandbox. */
export class Files {
  readonly #files = new Map<number, StoredFile>();
  #lastId = 400_000;

  add(file: Omit<StoredFile, 'id' | 'createdAt'>): StoredFile {
    this.#lastId += 1;
    const stored = { ...file, id: this.#lastId, createdAt: Date.now() };
    this.#files.set(stored.id, stored);
    return stored;
  }

  find(id: number): StoredFile | undefined {
    return this.#files.get(id);
  }
}

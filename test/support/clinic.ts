import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CoolDown } from '../../src/session/cool-down.ts';
import { type Outcome, type RunOptions, World } from './cli.ts';
import { nothingSet, succeeds } from './commands.ts';
import { dataOf } from './data-folder.ts';

/** A command on an identity whose file is damaged, or on another one. */
interface Attempt {
  readonly argv: readonly string[];
  /** How it may end. 1, a fault inside podio, is never among them. */
  readonly exits: readonly number[];
}

// 2: what is left of a session does not name its client secret. 3: what is left of its tokens is good for nothing.
export const ATTEMPTS: readonly Attempt[] = [
  { argv: ['call', '--silent', '/item/123'], exits: [0, 2, 3, 8] },
  { argv: ['status'], exits: [0, 2, 3, 8] },
  { argv: ['refresh'], exits: [0, 2, 3, 8] },
  { argv: ['sessions', 'list'], exits: [0] },
  { argv: ['login', '--app', '123456'], exits: [0] },
  { argv: ['logout', 'app:123456'], exits: [0] },
  { argv: ['call', '--silent', '/app/234567', '--as', 'app:234567'], exits: [0] },
];

/** One of them: all in turn. */
export function attemptOf(number: number): Attempt {
  return ATTEMPTS[number % ATTEMPTS.length] ?? { argv: ['status'], exits: [] };
}

/** It ended as it may, in a few words, with no stack and with nothing of what the files hold. */
export function isCalm({ exit, stdout, stderr }: Outcome, exits: readonly number[], name: string): void {
  assert.ok(exits.includes(exit), `${name}: ${exit} ${stderr}`);
  assert.ok(stderr.split('\n').length <= 4 && stderr.length < 1500, `${name}: ${stderr}`);
  assert.doesNotMatch(
    stdout + stderr,
    /\n\s+at |a fault inside|[0-9a-f]{25}|canary|"version"|"api_url"/,
    name,
  );
}

/** A world with two identities, whose files can be damaged and made whole again. */
export class Clinic implements AsyncDisposable {
  readonly #world: World;
  readonly #whole = new Map<string, Buffer>();

  private constructor(world: World) {
    this.#world = world;
  }

  static async open(): Promise<Clinic> {
    const world = await World.create({ rotate: false });
    const { apps, clients } = world.sandbox.accounts;
    const other = { PODIO_APP_ID: apps[1]?.id, PODIO_APP_TOKEN: apps[1]?.token };
    succeeds(await world.podio(['login', '--app'], { env: other }));
    succeeds(await world.podio(['login', '--app']));
    const scope = { apiUrl: world.sandbox.url, clientId: clients[0]?.id ?? '' };
    await new CoolDown({ folder: join(dataOf(world), 'cool-downs'), ...scope }).start(Date.now() - 1000);
    const clinic = new Clinic(world);
    for (const file of clinic.#files()) clinic.#whole.set(file, readFileSync(file));
    return clinic;
  }

  /** The files of that folder, the default identity's first. */
  files(folder: string): [string, ...string[]] {
    const [first, ...more] = [...this.#whole.keys()]
      .filter((file) => dirname(file).endsWith(`/${folder}`))
      .sort();
    assert.ok(first !== undefined, folder);
    return [first, ...more];
  }

  /** What stands in a file that is as podio has written it. */
  healthy(file: string): Buffer {
    return this.#whole.get(file) ?? Buffer.alloc(0);
  }

  /** A settings file that says what is so anyway, and holds something that nobody asked for. */
  settings(): { readonly file: string; readonly healthy: Buffer; readonly other: Buffer } {
    const settings = {
      client_secret: 'canary',
      api_url: this.#world.sandbox.url,
      as: 'app:123456',
      no_input: true,
    };
    const folder = join(this.#world.home, '.config/podio');
    mkdirSync(folder, { recursive: true });
    return {
      file: join(folder, 'config.json'),
      healthy: Buffer.from(JSON.stringify({ ...settings, session_manager: 'file', color: 'auto' })),
      other: Buffer.from(JSON.stringify({ color: 'never', session_manager: 'file', no_input: false })),
    };
  }

  /** Makes everything as it was, and takes away what was not there. */
  heal(): void {
    for (const file of this.#files()) if (!this.#whole.has(file)) rmSync(file);
    for (const [file, bytes] of this.#whole) writeFileSync(file, bytes);
  }

  /** Runs a command; only login is told a secret. */
  run(argv: readonly string[], env: RunOptions['env'] = {}): Promise<Outcome> {
    return this.#world.podio(argv, argv[0] === 'login' ? {} : nothingSet(env));
  }

  /** Runs a command when one file is damaged, and all others are whole. */
  runWith(file: string, bytes: Buffer, argv: readonly string[], env?: RunOptions['env']): Promise<Outcome> {
    this.heal();
    writeFileSync(file, bytes);
    return this.run(argv, env);
  }

  /** Tries a command when one session is damaged: what is of no use is put aside as it was. */
  async tryWith(file: string, bytes: Buffer, { argv, exits }: Attempt, name: string): Promise<void> {
    const done = await this.runWith(file, bytes, argv);
    isCalm(done, exits, name);
    const [kept] = this.#files().filter((path) => path.startsWith(`${file}.corrupt-`));
    if (kept !== undefined) assert.deepEqual(readFileSync(kept), bytes, name);
    else if (done.exit === 8) assert.match(done.stdout + done.stderr, /stored by a newer podio/, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#world[Symbol.asyncDispose]();
  }

  #files(): string[] {
    const folder = dataOf(this.#world);
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  }
}

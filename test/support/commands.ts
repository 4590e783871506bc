import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxOptions } from '../../src/sandbox/sandbox.ts';
import { BIN, type Outcome, outcome, type RunOptions, World } from './cli.ts';

/** The environment of somebody who has set nothing: what is needed must have been stored by a login. */
export const NOTHING_SET = {
  PODIO_CLIENT_ID: undefined,
  PODIO_CLIENT_SECRET: undefined,
  PODIO_APP_ID: undefined,
  PODIO_APP_TOKEN: undefined,
  PODIO_USERNAME: undefined,
  PODIO_PASSWORD: undefined,
} as const;

/** The environment of somebody whom no file can serve: only what the test itself says. */
export function nothingSet(more: RunOptions['env'] = {}): RunOptions {
  return { env: { ...NOTHING_SET, ...more } };
}

/** A world in which app 123456 is logged in, and what the login sent is forgotten. */
export async function loggedIn(options: SandboxOptions = {}): Promise<World> {
  const world = await World.create(options);
  succeeds(await world.podio(['login', '--app']));
  world.sandbox.clearSeen();
  return world;
}

/** The command did what it was asked to; answers what it printed. */
export function succeeds({ exit, stdout, stderr }: Outcome): string {
  assert.equal(exit, 0, stderr);
  return stdout;
}

/** The command ended with this code, said why in one line, and what to do in another. */
export function fails({ exit, stderr }: Outcome, code: number, why: RegExp, hint: RegExp = /\S/): void {
  assert.equal(exit, code, stderr);
  const [first = '', second = '', ...more] = stderr.trimEnd().split('\n');
  assert.match(first, /^podio: /);
  assert.match(first, why);
  assert.match(second, /^hint: \S/);
  assert.match(second, hint);
  assert.deepEqual(more, []);
}

/** Everything below a folder, with kind, mode and content, by its path. */
export function treeOf(folder: string): Readonly<Record<string, string>> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(names.map((name) => [name, described(join(folder, name))]));
}

function described(path: string): string {
  const stat = lstatSync(path);
  const mode = stat.mode.toString(8);
  if (stat.isSymbolicLink()) return `${mode} ${readlinkSync(path)}`;
  return stat.isFile() ? `${mode} ${readFileSync(path, 'latin1')}` : mode;
}

/** The files below a folder that hold one of the texts. */
export function filesHolding(folder: string, texts: readonly string[]): string[] {
  return Object.entries(treeOf(folder))
    .filter(([, content]) => texts.some((text) => content.includes(text)))
    .map(([name]) => name);
}

/** Runs a shell script in which `podio` is the built program. */
export function shell(world: World, script: string, env: RunOptions['env'] = {}): Promise<Outcome> {
  const program = `podio() { "${process.execPath}" "${BIN}" "$@"; }\n`;
  return outcome(spawn('sh', ['-c', program + script], { env: world.env(env), cwd: world.home }));
}

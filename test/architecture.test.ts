import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

// What the context is made of, and what is made with it.
const CONTEXT = [
  'api-key',
  'call-answer',
  'call-pages',
  'call-send',
  'call-show',
  'batch-output',
  'batch-run',
  'batch-tally',
  'checks',
  'child',
  'complete',
  'context',
  'environment',
  'exit-codes',
  'identity-report',
  'journal',
  'login-answers',
  'person',
  'session-export',
  'topics',
  'web-login',
  'wire-talk',
];

// A file imports from floors below its own, and from its own folder. The first pattern that fits names the floor.
const FLOORS: readonly (readonly [floor: number, files: RegExp])[] = [
  [0, /^src\/(index|testing)\.ts$/],
  [2, /^src\/cli\/main\.ts$/],
  [3, /^src\/cli\/commands\//],
  [4, new RegExp(`^src/cli/(${CONTEXT.join('|')})\\.ts$`)],
  [5, /^src\/client\//],
  [6, /^src\/session\/(session|queue|register|strays|cool-down|move)\.ts$/],
  [7, /^src\/session\/managers\//],
  [8, /^src\/(http|cli|session)\//],
  [9, /^src\/values\//],
  [10, /^src\/errors\.ts$/],
];

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('src', name));

const imports = new Map(files.map((file) => [file, importsOf(file)] as const));

function importsOf(file: string): string[] {
  const found = readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g);
  return [...found].map(([, path = '']) => normalize(join(dirname(file), path)));
}

function floorOf(file: string): number | undefined {
  return FLOORS.find(([, pattern]) => pattern.test(file))?.[0];
}

function isSandbox(file: string): boolean {
  return file.startsWith('src/sandbox/');
}

test('every file stands on a floor', () => {
  const homeless = files.filter((file) => !isSandbox(file) && floorOf(file) === undefined);
  assert.deepEqual(homeless, []);
});

test('no file imports from a floor above its own, nor from another room of its floor', () => {
  const upward = [...imports].flatMap(([file, targets]) =>
    targets.filter((target) => !isAllowed(file, target)).map((target) => `${file} → ${target}`),
  );
  assert.deepEqual(upward, []);
});

function isAllowed(file: string, target: string): boolean {
  if (isSandbox(file)) return isSandbox(target);
  if (isSandbox(target)) return file.startsWith('src/cli/commands/');
  const [from = 0, to = 0] = [floorOf(file), floorOf(target)];
  return to > from || (to === from && dirname(file) === dirname(target));
}

test('no imports run in a circle', () => {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file].join(' → ');
    if (done.has(file)) return undefined;
    const circle = (imports.get(file) ?? []).map((next) => visit(next, [...path, file])).find(Boolean);
    done.add(file);
    return circle;
  };
  assert.equal(files.map((file) => visit(file, [])).find(Boolean), undefined);
});

test('only bin, main and the sandbox touch the arguments, the streams and the exit of the process', () => {
  const touches = files
    .filter((file) => file !== 'src/cli/main.ts' && file !== 'src/session/keychain-helper.ts')
    .filter((file) => /process\.(argv|stdin|stdout|stderr|exit)\b/.test(readFileSync(file, 'utf8')));
  assert.deepEqual(touches, []);
});

test('the version that podio tells is that of its package', async () => {
  const { VERSION } = await import('../src/values/version.ts');
  assert.equal(VERSION, JSON.parse(readFileSync('package.json', 'utf8')).version);
});

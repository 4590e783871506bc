import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { outcome, World } from './support/cli.ts';

// An empty folder of a stranger's, with the packed library installed in it.
const FOLDER = mkdtempSync(join(tmpdir(), 'podio-library-package-'));
after(() => rmSync(FOLDER, { recursive: true, force: true }));

// npm passes its settings on to its scripts in variables; a stranger's shell has none of them.
const ENV = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));

function npm(args: readonly string[], cwd = FOLDER): string {
  return execFileSync('npm', args, { cwd, env: ENV, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

before(() => {
  const file = npm(
    ['pack', '--ignore-scripts', '--silent', '--pack-destination', FOLDER],
    process.cwd(),
  ).trim();
  writeFileSync(join(FOLDER, 'package.json'), '{"private":true}');
  npm(['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', `./${file}`]);
});

const USE = `
const podio = new PodioClient({
  apiUrl: process.env.PODIO_API_URL,
  clientId: process.env.PODIO_CLIENT_ID,
  clientSecret: process.env.PODIO_CLIENT_SECRET,
  sessionManager: 'file',
});
const refused = podio.authenticateWithApp('123456', 'wrong').catch((error) => error instanceof PodioError);
const kept = () => podio.authenticateWithApp(process.env.PODIO_APP_ID, process.env.PODIO_APP_TOKEN);
refused.then(async (isPodioError) => {
  await kept();
  const keychain = new PodioClient({ clientId: 'a', sessionManager: 'keychain', authType: { type: 'app', identifier: '1' } });
  const release = await new KeychainSessionManager({ apiUrl: 'https://api.podio.com', clientId: 'a', folder: process.env.HOME + '/x' })
    .reserve().catch((error) => error);
  console.log(isPodioError, (await podio.get('/item/123')).item_id, await keychain.isAuthenticated(),
    release instanceof StoreError && /keychain/.test(release.message), typeof sessionManagerContract);
});
`;

const NAMES = '{ KeychainSessionManager, PodioClient, PodioError, StoreError }';
const FORMS: Readonly<Record<string, string>> = {
  'an ES module': `import ${NAMES} from 'podio-cli';\nimport { sessionManagerContract } from 'podio-cli/testing';${USE}`,
  CommonJS: `const ${NAMES} = require('podio-cli');\nconst { sessionManagerContract } = require('podio-cli/testing');${USE}`,
};

/** The oldest Node there is support for, which cannot require an ES module. */
function oldNode(): string {
  return npm(['exec', '--yes', '--package=node@20.0.0', '--', 'node', '-p', 'process.execPath']).trim();
}

for (const [form, text] of Object.entries(FORMS)) {
  test(`the installed library works as ${form}, on Node 20.0 too, the keychain's helper included`, async () => {
    const file = join(FOLDER, form === 'CommonJS' ? 'use.cjs' : 'use.mjs');
    writeFileSync(file, text);
    for (const node of [process.execPath, oldNode()]) {
      await using world = await World.create();
      const child = spawn(node, [file], { cwd: FOLDER, env: world.env() });
      const { exit, stdout, stderr } = await outcome(child);
      assert.deepEqual([exit, stdout], [0, 'true 123 false true function\n'], stderr);
    }
  });
}

const CONSUMER = `
import { acquireLock, PodioClient, type PodioOAuth, type AuthType, type SessionManager } from 'podio-cli';
import { sessionManagerContract } from 'podio-cli/testing';

class Strict implements SessionManager {
  async get(_authType: AuthType): Promise<PodioOAuth> { throw new Error('not yet'); }
  async set(_oauth: PodioOAuth, _authType: AuthType): Promise<void> {}
}
class Sync {
  readonly #sessions = new Map<string, PodioOAuth>();
  get({ identifier }: AuthType) { return this.#sessions.get(identifier); }
  set(oauth: PodioOAuth, { identifier }: AuthType) { this.#sessions.set(identifier, oauth); }
  lock({ identifier }: AuthType) { return acquireLock('/tmp/' + identifier); }
}
sessionManagerContract(() => new Sync());
new PodioClient({ clientId: 'a', sessionManager: new Strict() });
new PodioClient({ clientId: 'a', sessionManager: Strict, authType: { type: 'app', identifier: '1' } });
new PodioClient({ clientId: 'a', sessionManager: Sync });
new PodioClient({ clientId: 'a', sessionManager: 'file' });
// @ts-expect-error: a manager without set
new PodioClient({ clientId: 'a', sessionManager: { get: async () => undefined } });
// @ts-expect-error: a number
new PodioClient({ clientId: 'a', sessionManager: 42 });
export const item: Promise<unknown> = new PodioClient({ clientId: 'a' }).get('/item/1', { fields: 'title' });
`;

test('TypeScript finds the types: as an ES module, as CommonJS and for a bundler', () => {
  symlinkSync(join(process.cwd(), 'node_modules/@types'), join(FOLDER, 'node_modules/@types'));
  const files = ['consumer.mts', 'consumer.cts'].map((name) => join(FOLDER, name));
  for (const file of files) writeFileSync(file, CONSUMER);
  const settings = [
    '--noEmit',
    '--strict',
    '--target',
    'es2023',
    '--lib',
    'es2023,esnext.disposable',
    '--types',
    'node',
  ];
  for (const [module, resolution] of [
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    const flags = ['--module', module ?? '', '--moduleResolution', resolution ?? ''];
    tsc([...settings, ...flags, ...(module === 'esnext' ? files.slice(0, 1) : files)]);
  }
});

function tsc(args: readonly string[]): void {
  const bin = join(process.cwd(), 'node_modules/.bin/tsc');
  try {
    execFileSync(bin, args, { cwd: FOLDER, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    assert.fail(`${args.join(' ')}\n${(error as { stdout: string }).stdout}`);
  }
}

test('each form of the library is typed in its own form', () => {
  const root = join(FOLDER, 'node_modules/podio-cli');
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const face of ['.', './testing']) {
    for (const [form, folder, type] of [
      ['import', 'lib', 'module'],
      ['require', 'cjs', 'commonjs'],
    ] as const) {
      const { types, default: code } = exports[face][form];
      assert.match(types, new RegExp(`^\\./dist/${folder}/.*\\.d\\.ts$`));
      assert.equal(code, types.replace(/\.d\.ts$/, '.js'));
      const nearest = folder === 'cjs' ? 'dist/cjs/package.json' : 'package.json';
      assert.equal(JSON.parse(readFileSync(join(root, nearest), 'utf8')).type, type);
    }
  }
});

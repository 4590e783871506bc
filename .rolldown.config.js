import { createHash } from 'node:crypto';
import { defineConfig } from 'rolldown';

// The program starts from one CommonJS file, which is what Node starts fastest; what few commands need lies beside
// it in files that are loaded on use. Native code stays in its package. The keychain's helper is a program of its own,
// and so is what imports a user's module: only there `import()` stays what it is.
const programs = {
  main: 'src/cli/main.ts',
  complete: 'src/cli/complete.ts',
  'keychain-helper': 'src/session/keychain-helper.ts',
  'jq-worker': 'src/cli/jq-worker.ts',
  'import-module': 'src/session/import-module.ts',
};

// The library for `require`; its types and its package.json are laid beside it by the build script.
const library = {
  faces: { index: 'src/index.ts', testing: 'src/testing.ts' },
  helper: { 'keychain-helper': 'src/session/keychain-helper.ts' },
};

// commander starts subcommands that are programs of their own; podio has none, and what starts them loads slowly.
const withoutPrograms = {
  name: 'without-programs',
  resolveId: (id, importer) =>
    id === 'node:child_process' && importer?.includes('/commander/') ? '\0no-programs' : undefined,
  load: (id) => (id === '\0no-programs' ? 'module.exports = {}' : undefined),
};

// Node's own modules are no ES modules in disguise: a copy of all their names would be made for nothing, at each start.
const plainBuiltins = {
  name: 'plain-builtins',
  generateBundle: (_, { 'main.cjs': main, 'rolldown-runtime.cjs': runtime }) => {
    const [, name] = /"(\w+)",\{[^}]*return __toESM\}/.exec(runtime?.code) ?? [];
    if (main === undefined) return;
    if (name === undefined) throw new Error('rolldown names what copies modules in another way now');
    const copied = new RegExp(`\\w+\\.${name}\\((node_\\w+|require\\("node:[\\w/]+"\\)),1\\)`, 'g');
    // Who asks for a default, which they do not have, needs the copy.
    main.code = main.code.replace(copied, (copy, module) =>
      main.code.includes(`${module}.default`) ? copy : module,
    );
  },
};

// Small functions that are called a thousand times in a hash: each wakes V8's optimizer, for megabytes and a millisecond.
const bodies = {
  rotr: (word, shift) => `((${word} << ${32 - shift}) | (${word} >>> ${shift}))`,
  Chi: (a, b, c) => `((${a} & ${b}) ^ (~${a} & ${c}))`,
  Maj: (a, b, c) => `((${a} & ${b}) ^ (${a} & ${c}) ^ (${b} & ${c}))`,
};
const inlined = {
  name: 'inlined',
  transform: (code, id) => {
    if (!id.endsWith('/sha2.js')) return undefined;
    const calls = /\b(rotr|Chi|Maj)\(([\w, ]+)\)/g;
    if (!calls.test(code)) throw new Error('the hash calls its small functions in another way now');
    return code.replace(calls, (_, name, words) => bodies[name](...words.split(', ')));
  },
};

// A file less to open for a call. Its functions keep no state: the other files may have theirs.
const inOneFile = {
  name: 'in-one-file',
  generateBundle: (_, bundle) => {
    const { 'main.cjs': main, 'rolldown-runtime.cjs': runtime } = bundle;
    if (main === undefined || runtime === undefined) return;
    const own = `(function () { const exports = {};${runtime.code}; return exports })()`;
    main.code = main.code.replace('require("./rolldown-runtime.cjs")', () => own);
  },
};

// ASCII is read fastest; the hash tells a cache of what was compiled of this bundle from that of another.
const marked = {
  name: 'marked',
  generateBundle: (_, bundle) => {
    for (const chunk of Object.values(bundle)) {
      chunk.code = chunk.code.replace(/[^\0-\x7f]/g, escaped);
      if (chunk.isEntry)
        chunk.code = `/*${createHash('sha256').update(chunk.code).digest('hex')}*/${chunk.code}`;
    }
  },
};

function escaped(unit) {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const native = ['fs-native-extensions', 'keytar'];
const toImporter = /import-module\.ts$/;

function build(input, { name = '', plugins = [], ...output }) {
  return {
    input,
    platform: 'node',
    logLevel: 'warn',
    external: name === 'import-module' ? native : [...native, toImporter],
    plugins,
    transform: { target: 'node20' },
    preserveEntrySignatures: 'allow-extension',
    output: {
      format: 'cjs',
      dynamicImportInCjs: name === 'import-module',
      paths: (id) => (toImporter.test(id) ? './import-module.cjs' : id),
      ...output,
    },
  };
}

// A folder of its own for what shells ask: the parts of one bundle are not those of another.
const places = { complete: { dir: 'dist/complete' } };

const cli = {
  plugins: [withoutPrograms, inlined, plainBuiltins, inOneFile, marked],
  dir: 'dist/cli',
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name].cjs',
  codeSplitting: {
    groups: [
      {
        name: 'core',
        test: /src.cli.(main|commands.(help|manual)|page|page-text|topics)\.ts|rolldown.runtime/,
      },
    ],
  },
  minify: { compress: true, mangle: false },
};

export default defineConfig([
  ...Object.entries(programs).map(([name, input]) =>
    build({ [name]: input }, { ...cli, ...places[name], name }),
  ),
  ...Object.values(library).map((input) => build(input, { dir: 'dist/cjs' })),
]);

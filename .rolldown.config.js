import { defineConfig } from 'rolldown';

// The program starts from one CommonJS file, which is what Node starts fastest; what few commands need lies beside
// it in files that are loaded on use. Native code stays in its package. The keychain's helper is a program of its own.
const programs = {
  main: 'src/cli/main.ts',
  'keychain-helper': 'src/session/keychain-helper.ts',
};

export default defineConfig(
  Object.entries(programs).map(([name, input]) => ({
    input: { [name]: input },
    platform: 'node',
    logLevel: 'warn',
    external: ['fs-native-extensions', 'keytar'],
    transform: { target: 'node20' },
    preserveEntrySignatures: 'allow-extension',
    output: {
      dir: 'dist/cli',
      format: 'cjs',
      entryFileNames: '[name].cjs',
      chunkFileNames: '[name].cjs',
      dynamicImportInCjs: false,
      minify: { compress: true, mangle: false },
    },
  })),
);

#!/usr/bin/env node
// Runs the bundle, and keeps what V8 compiled of it beside it: most of a short command's time would go into compiling.
const fs = require('node:fs');
const path = require('node:path');
const { Script } = require('node:vm');

const bundle = path.join(__dirname, '../dist/cli/main.cjs');

// A shell that completes asks often, and needs little.
if (process.argv[2] === '__complete')
  require('../dist/complete/complete.cjs').complete(process, require('../dist/complete/table.json'));
else run();

function run() {
  const source = fs.readFileSync(bundle, 'latin1');
  // The build puts the hash of the bundle before it: a cache that was made of another one is none.
  const mark = Buffer.from(source.slice(0, source.indexOf('*/')), 'latin1');
  const cache = findCache(mark);
  const script = new Script(`(function (exports, require, __filename) {${source}\n})`, {
    filename: bundle,
    cachedData: cache?.data,
  });
  // As `require` would have loaded it: the bundle's other files ask for it by its name.
  const main = new module.constructor(bundle, module);
  main.filename = bundle;
  main.paths = module.constructor._nodeModulePaths(path.dirname(bundle));
  require.cache[bundle] = main;
  script.runInThisContext()(main.exports, (id) => main.require(id), bundle);
  main.exports.start().then((command) => {
    if (command === undefined) return;
    const isUsed = cache?.command === command;
    const isKept = isUsed ? !script.cachedDataRejected : readCache(fileFor(command), mark) !== undefined;
    if (!isKept) writeCache(fileFor(command), mark, script.createCachedData());
  });
}

// Each command has a cache of its own, of what it runs and no more; one without a name is for what is no command.
function fileFor(command) {
  return `${bundle}.${process.version}-${process.arch}${command && `.${command}`}`;
}

// Which word of the line is the command, only the bundle knows: here it is the first that has a cache.
function findCache(mark) {
  const words = process.argv.slice(2, 8).map((word) => word.replace(/^--/, ''));
  for (const command of [...words.filter((word) => /^[a-z]{2,12}$/.test(word)), '']) {
    const data = readCache(fileFor(command), mark);
    if (data !== undefined) return { command, data };
  }
  return undefined;
}

// Whoever could write a cache that is read here could write the bundle as well.
function readCache(file, mark) {
  try {
    const { uid, mode } = fs.statSync(file);
    if (uid !== fs.statSync(bundle).uid || (mode & 0o022) !== 0) return undefined;
    const bytes = fs.readFileSync(file);
    return bytes.subarray(0, mark.length).equals(mark) ? bytes.subarray(mark.length) : undefined;
  } catch {
    return undefined;
  }
}

// It is as good without: where podio is not the user's own to write to, nothing is said.
function writeCache(file, mark, data) {
  const whole = `${file}.${process.pid}`;
  try {
    if (fs.statSync(bundle).uid !== (process.geteuid?.() ?? 0)) return;
    fs.writeFileSync(whole, Buffer.concat([mark, data]), { flag: 'wx', mode: 0o644 });
    fs.renameSync(whole, file);
  } catch {
    fs.rmSync(whole, { force: true });
  }
}

/** Preloaded: kills its process right after the so-manieth operation on a file below HOME, reads included. */
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');

const { HOME, TEST_KILL_AFTER, TEST_COUNT_IN } = process.env;
const { writeSync } = fs;
const log = TEST_COUNT_IN && fs.openSync(TEST_COUNT_IN, 'a');
const opened = new Set();
let done = 0;

for (const name of Object.keys(fs).filter((name) => name.endsWith('Sync'))) {
  const operate = fs[name];
  fs[name] = (place, ...rest) => {
    const isOurs = opened.has(place) || String(place).startsWith(`${HOME}/`);
    try {
      const result = operate(place, ...rest);
      if (isOurs && name === 'openSync') opened.add(result);
      return result;
    } finally {
      if (name === 'closeSync') opened.delete(place);
      if (isOurs) count(name);
    }
  };
}
syncBuiltinESMExports();

function count(name) {
  done++;
  if (done === Number(TEST_KILL_AFTER)) process.kill(process.pid, 'SIGKILL');
  if (log) writeSync(log, `${name}\n`);
}

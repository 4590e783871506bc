/** Preloaded: a machine for which fs-native-extensions has no binary. */
const Module = require('node:module');

const load = Module._load;
Module._load = (name, ...rest) => {
  if (name === 'fs-native-extensions') throw new Error('No native build was found');
  return load(name, ...rest);
};

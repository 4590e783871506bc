// One call as podio-js makes it, its session kept in a file as its documentation shows.
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');

const Podio = createRequire(process.env.PODIO_JS)('podio-js').api;
const sessionStore = {
  get: (_, callback) =>
    callback({ accessToken: JSON.parse(readFileSync(process.env.SESSION_FILE, 'utf8')).access_token }),
  set: (_, __, callback) => callback(),
};
const podio = new Podio(
  { authType: 'app', clientId: 'a', clientSecret: 'b' },
  { apiURL: process.env.API_URL, sessionStore, enablePushService: false },
);
podio
  .isAuthenticated()
  .then(() => podio.request('GET', '/item/123'))
  .then((item) => process.stdout.write(JSON.stringify(item)));

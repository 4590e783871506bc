import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import express, { type Request } from 'express';
import session from 'express-session';
import { BrowserSessionManager, PodioClient, PodioError } from '../../../src/index.ts';
import { FileStore } from './file-store.ts';

declare module 'express-session' {
  interface SessionData {
    /** What was sent along to Podio's authorize page, and has not come back yet. */
    state: string;
    visits: number;
  }
}

const {
  PODIO_API_URL: apiUrl = 'https://api.podio.com',
  PODIO_CLIENT_ID: clientId = '',
  PODIO_CLIENT_SECRET: clientSecret,
} = process.env;
const { SESSION_FOLDER = 'sessions', SESSION_SECRET = randomBytes(32).toString('hex') } = process.env;

/** A client for the browser that asks: with whoever is logged in there, if anybody is. */
async function podioFor(request: Request): Promise<{ podio: PodioClient; isLoggedIn: boolean }> {
  const sessionManager = new BrowserSessionManager({ request, apiUrl, clientId });
  const [authType] = await sessionManager.list();
  const podio = new PodioClient({ apiUrl, clientId, clientSecret, sessionManager, authType });
  return { podio, isLoggedIn: authType !== undefined };
}

const app = express();

app.use(
  session({
    secret: SESSION_SECRET,
    store: new FileStore(SESSION_FOLDER),
    // What a request has not changed it does not store again: an older copy would come to lie over a newer one.
    resave: false,
    saveUninitialized: false,
    // Strict would keep the cookie back when Podio sends the browser to us.
    cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto', maxAge: 28 * 24 * 60 * 60 * 1000 },
  }),
);

app.get('/', async (request, response) => {
  const { podio, isLoggedIn } = await podioFor(request);
  if (!isLoggedIn) return void response.send(page('Welcome', '<a href="/login">Log in with Podio</a>'));
  const name = String(read(await podio.request('GET', '/user/status'), 'profile', 'name'));
  response.send(
    page(`Hello, ${name}`, '<form method="post" action="/logout"><button>Log out</button></form>'),
  );
});

app.get('/login', async (request, response) => {
  const { podio } = await podioFor(request);
  request.session.state = randomBytes(32).toString('base64url');
  response.redirect(podio.authorizeUrl(callbackOf(request), { state: request.session.state }));
});

app.get('/callback', async (request, response) => {
  const { code, state } = request.query;
  const { state: expected } = request.session;
  if (expected === undefined || state !== expected) {
    return void response
      .status(403)
      .send(page('This answer was not asked for', '<a href="/login">Log in</a>'));
  }
  // It is good once.
  delete request.session.state;
  if (typeof code !== 'string')
    return void response.send(page('Access was not granted', '<a href="/">Back</a>'));
  const { podio } = await podioFor(request);
  await podio.authenticateWithAuthorizationCode(code, callbackOf(request));
  response.redirect('/');
});

app.get('/item/:id', async (request, response) => {
  const { podio, isLoggedIn } = await podioFor(request);
  if (!isLoggedIn) return response.redirect('/login');
  request.session.visits = (request.session.visits ?? 0) + 1;
  const item = await podio.request('GET', `/item/${encodeURIComponent(request.params.id)}`);
  response.send(page(String(read(item, 'title')), `<p>Visit ${request.session.visits}</p>`));
});

app.post('/logout', async (request, response) => {
  const { podio, isLoggedIn } = await podioFor(request);
  if (isLoggedIn) {
    await podio.revoke();
    await podio.clearAuthentication();
  }
  request.session.destroy(() => response.redirect('/'));
});

app.use((error: unknown, _: Request, response: express.Response, next: express.NextFunction) => {
  if (!(error instanceof PodioError)) return next(error);
  response.status(error.status === 404 ? 404 : 502).send(page('Podio says no', escapeHtml(error.message)));
});

function callbackOf(request: Request): string {
  return `${request.protocol}://${request.host}/callback`;
}

function read(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined),
    value,
  );
}

function page(title: string, content: string): string {
  const heading = escapeHtml(title);
  return `<!doctype html><meta charset="utf-8"><title>${heading}</title><h1>${heading}</h1>${content}`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`http://127.0.0.1:${port}\n`);
});

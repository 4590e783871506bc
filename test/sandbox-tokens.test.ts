import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment, type Sandbox, startSandbox } from '../src/sandbox/sandbox.ts';

type Parameters = Readonly<Record<string, string>>;
type Json = Readonly<Record<string, unknown>>;

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Json;
}

async function reply(response: Response): Promise<Reply> {
  return { status: response.status, headers: response.headers, json: (await response.json()) as Json };
}

async function post(url: string, body: string | URLSearchParams, headers: Parameters = {}): Promise<Reply> {
  return reply(await fetch(url, { method: 'POST', body, headers }));
}

function postJson(url: string, value: unknown): Promise<Reply> {
  return post(url, JSON.stringify(value), { 'content-type': 'application/json' });
}

function key({ accounts }: Sandbox): Parameters {
  const [client] = accounts.clients;
  return { client_id: client?.id ?? '', client_secret: client?.secret ?? '' };
}

/** A token request as a form, with the sandbox's API key in it. */
function ask(sandbox: Sandbox, parameters: Parameters): Promise<Reply> {
  return post(`${sandbox.url}/oauth/token`, new URLSearchParams({ ...key(sandbox), ...parameters }));
}

function appLogin({ accounts }: Sandbox): Parameters {
  const [app] = accounts.apps;
  return { grant_type: 'app', app_id: app?.id ?? '', app_token: app?.token ?? '' };
}

function passwordLogin({ accounts }: Sandbox): Parameters {
  const [user] = accounts.users;
  return { grant_type: 'password', username: user?.username ?? '', password: user?.password ?? '' };
}

function refresh(sandbox: Sandbox, token: unknown): Promise<Reply> {
  return ask(sandbox, { grant_type: 'refresh_token', refresh_token: String(token) });
}

async function works(sandbox: Sandbox, token: unknown): Promise<boolean> {
  const headers = { authorization: `OAuth2 ${token}` };
  return (await fetch(`${sandbox.url}/oauth/scope`, { headers })).status === 200;
}

function says(answer: Reply, status: number, error: string, detail: string | null): void {
  const { json } = answer;
  assert.deepEqual([answer.status, json.error, json.error_detail], [status, error, detail]);
}

test('the app grant answers a token response for the app', async () => {
  await using sandbox = await startSandbox();
  const { status, json } = await ask(sandbox, appLogin(sandbox));
  assert.equal(status, 200);
  const { access_token, refresh_token, ...rest } = json;
  assert.match(String(access_token), /^[0-9a-f]{128}$/);
  assert.match(String(refresh_token), /^[0-9a-f]{128}$/);
  const ref = { type: 'app', id: 123456 };
  assert.deepEqual(rest, { token_type: 'bearer', expires_in: 28800, ref, scope: 'global:all' });
  assert.ok(await works(sandbox, access_token));
});

test('the password grant answers tokens for the user', async () => {
  await using sandbox = await startSandbox();
  const { status, json } = await ask(sandbox, passwordLogin(sandbox));
  assert.deepEqual([status, json.ref], [200, { type: 'user', id: 9001 }]);
});

test('the environment of a sandbox names its address and its first accounts', async () => {
  await using sandbox = await startSandbox();
  const names = Object.keys(environment(sandbox)).join(' ');
  assert.equal(
    names,
    'PODIO_API_URL PODIO_CLIENT_ID PODIO_CLIENT_SECRET PODIO_APP_ID PODIO_APP_TOKEN PODIO_USERNAME PODIO_PASSWORD',
  );
  assert.equal(environment(sandbox).PODIO_API_URL, sandbox.url);
});

test('a JSON body sent to /oauth/token is refused as if the client id were missing', async () => {
  await using sandbox = await startSandbox();
  const answer = await postJson(`${sandbox.url}/oauth/token`, { ...key(sandbox), ...appLogin(sandbox) });
  says(answer, 400, 'invalid_client', null);
  assert.equal(answer.json.error_description, 'Missing parameter client_id');
});

test('a form sent to /oauth/token/v2 is refused as if there were no object', async () => {
  await using sandbox = await startSandbox();
  const form = new URLSearchParams({ ...key(sandbox), ...appLogin(sandbox) });
  const answer = await post(`${sandbox.url}/oauth/token/v2`, form);
  says(answer, 400, 'invalid_value', null);
  assert.equal(answer.json.error_description, 'Invalid value null (null): must be object');
});

test('/oauth/token/v2 takes JSON, with the app id as text or number', async () => {
  await using sandbox = await startSandbox();
  for (const app_id of ['123456', 123456]) {
    const login = { ...key(sandbox), ...appLogin(sandbox), app_id };
    assert.equal((await postJson(`${sandbox.url}/oauth/token/v2`, login)).status, 200);
  }
});

test('client id and secret may come by HTTP Basic', async () => {
  await using sandbox = await startSandbox();
  const { client_id, client_secret } = key(sandbox);
  const authorization = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`;
  const form = new URLSearchParams(appLogin(sandbox));
  assert.equal((await post(`${sandbox.url}/oauth/token`, form, { authorization })).status, 200);
});

test('a wrong client id and a wrong client secret are told apart', async () => {
  await using sandbox = await startSandbox();
  const login = appLogin(sandbox);
  const wrongId = await ask(sandbox, { ...login, client_id: 'nobody' });
  says(wrongId, 400, 'invalid_client', 'oauth.client.invalid_id');
  assert.equal(wrongId.json.error_description, "Sorry, you've supplied an invalid client id.");
  const wrongSecret = await ask(sandbox, { ...login, client_secret: 'wrong' });
  says(wrongSecret, 400, 'invalid_client', 'oauth.client.invalid_secret');
});

test('a wrong user name, password and app token are invalid grants with their own details', async () => {
  await using sandbox = await startSandbox();
  const login = passwordLogin(sandbox);
  const wrong = { ...login, username: 'nobody@example.com' };
  says(await ask(sandbox, wrong), 400, 'invalid_grant', 'user.invalid.username');
  says(await ask(sandbox, { ...login, password: 'x' }), 400, 'invalid_grant', 'user.invalid.password');
  const app = { ...appLogin(sandbox), app_token: 'x' };
  says(await ask(sandbox, app), 400, 'invalid_grant', 'app.invalid.token');
});

test('an unknown grant type and a missing parameter are refused', async () => {
  await using sandbox = await startSandbox();
  says(await ask(sandbox, { grant_type: 'username' }), 400, 'unsupported_grant_type', null);
  says(await ask(sandbox, { grant_type: 'constructor' }), 400, 'unsupported_grant_type', null);
  const answer = await ask(sandbox, { grant_type: 'app', app_id: '123456' });
  assert.equal(answer.json.error_description, 'Missing parameter app_token');
});

test('secrets of any characters log in, as form, as JSON and by HTTP Basic', async () => {
  const secret = 'a&b=c+d%20"e\' ümläut 🎉:;';
  const accounts = {
    clients: [{ id: 'key & co', secret }],
    users: [{ id: 1, username: 'a+b&c@example.com', password: secret, name: 'A' }],
  };
  await using sandbox = await startSandbox({ accounts });
  assert.equal((await ask(sandbox, passwordLogin(sandbox))).status, 200);
  const login = { ...key(sandbox), ...passwordLogin(sandbox) };
  assert.equal((await postJson(`${sandbox.url}/oauth/token/v2`, login)).status, 200);
  const authorization = `Basic ${Buffer.from(`key & co:${secret}`).toString('base64')}`;
  const form = new URLSearchParams(passwordLogin(sandbox));
  assert.equal((await post(`${sandbox.url}/oauth/token`, form, { authorization })).status, 200);
});

test('a refresh brings another pair and uses up the refresh token', async () => {
  await using sandbox = await startSandbox();
  const first = (await ask(sandbox, appLogin(sandbox))).json;
  const second = (await refresh(sandbox, first.refresh_token)).json;
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.ok(await works(sandbox, second.access_token));
  const replay = await refresh(sandbox, first.refresh_token);
  says(replay, 400, 'invalid_grant', 'oauth.grant.expired');
});

test('a replayed refresh token leaves the pair that took its place alone', async () => {
  await using sandbox = await startSandbox();
  const first = (await ask(sandbox, appLogin(sandbox))).json;
  const second = (await refresh(sandbox, first.refresh_token)).json;
  await refresh(sandbox, first.refresh_token);
  assert.ok(await works(sandbox, second.access_token));
  assert.equal((await refresh(sandbox, second.refresh_token)).status, 200);
});

test('with endFamilyOnReplay a replay ends all tokens of that login and of no other', async () => {
  await using sandbox = await startSandbox({ endFamilyOnReplay: true });
  const other = (await ask(sandbox, appLogin(sandbox))).json;
  const first = (await ask(sandbox, appLogin(sandbox))).json;
  const second = (await refresh(sandbox, first.refresh_token)).json;
  assert.equal((await refresh(sandbox, first.refresh_token)).status, 400);
  assert.equal(await works(sandbox, second.access_token), false);
  assert.equal((await refresh(sandbox, second.refresh_token)).status, 400);
  assert.ok(await works(sandbox, other.access_token));
});

test('without rotation the same refresh token comes back and stays good', async () => {
  await using sandbox = await startSandbox({ rotate: false });
  const first = (await ask(sandbox, appLogin(sandbox))).json;
  const second = (await refresh(sandbox, first.refresh_token)).json;
  assert.equal(second.refresh_token, first.refresh_token);
  assert.equal((await refresh(sandbox, first.refresh_token)).status, 200);
});

test('with omitRefreshToken a refresh brings none and the old one stays good', async () => {
  await using sandbox = await startSandbox({ omitRefreshToken: true });
  const first = (await ask(sandbox, appLogin(sandbox))).json;
  assert.equal('refresh_token' in (await refresh(sandbox, first.refresh_token)).json, false);
  assert.equal((await refresh(sandbox, first.refresh_token)).status, 200);
});

test('a refresh token serves only the API key it was issued to', async () => {
  const clients = ['one', 'two'].map((id) => ({ id, secret: 's' }));
  await using sandbox = await startSandbox({ accounts: { clients } });
  const { refresh_token } = (await ask(sandbox, appLogin(sandbox))).json;
  const stolen = { grant_type: 'refresh_token', refresh_token: String(refresh_token), client_id: 'two' };
  says(await ask(sandbox, stolen), 400, 'invalid_grant', 'oauth.grant.expired');
  assert.equal((await refresh(sandbox, refresh_token)).status, 200);
});

test('access tokens live as long as expiresIn says, fractions and 0 included', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  await using brief = await startSandbox({ expiresIn: 0.5 });
  const { access_token, expires_in } = (await ask(brief, appLogin(brief))).json;
  assert.equal(expires_in, 0.5);
  t.mock.timers.tick(499);
  assert.ok(await works(brief, access_token));
  t.mock.timers.tick(1);
  assert.equal(await works(brief, access_token), false);
  await using none = await startSandbox({ expiresIn: 0 });
  assert.equal(await works(none, (await ask(none, appLogin(none))).json.access_token), false);
});

test('a refresh token lives 28 days', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  await using sandbox = await startSandbox({ rotate: false });
  const { refresh_token } = (await ask(sandbox, appLogin(sandbox))).json;
  t.mock.timers.tick(28 * 24 * 60 * 60 * 1000 - 1);
  assert.equal((await refresh(sandbox, refresh_token)).status, 200);
  t.mock.timers.tick(1);
  says(await refresh(sandbox, refresh_token), 400, 'invalid_grant', 'oauth.grant.expired');
});

test('tokens and logins can be ended from outside', async () => {
  await using sandbox = await startSandbox();
  const first = (await ask(sandbox, appLogin(sandbox))).json;
  sandbox.expireAccessTokens();
  assert.equal(await works(sandbox, first.access_token), false);
  const second = (await refresh(sandbox, first.refresh_token)).json;
  sandbox.expireRefreshTokens();
  assert.ok(await works(sandbox, second.access_token));
  assert.equal((await refresh(sandbox, second.refresh_token)).status, 400);
  sandbox.endGrants();
  assert.equal(await works(sandbox, second.access_token), false);
});

test('two-step verification answers a nonce, and tokens only for the right code', async () => {
  await using sandbox = await startSandbox({ otp: '246810' });
  const { status, json } = await ask(sandbox, passwordLogin(sandbox));
  assert.deepEqual([status, Object.keys(json)], [200, ['server_nonce']]);
  const verify = (body: unknown) => postJson(`${sandbox.url}/mfa/verify`, body);
  const nonce = json.server_nonce;
  says(await verify({ nonce, otp: '000000' }), 400, 'invalid_second_factor', null);
  const tokens = await verify({ nonce, otp: '246810' });
  assert.ok(await works(sandbox, tokens.json.access_token));
  says(await verify({ nonce, otp: '246810' }), 400, 'nonce_validation_error', null);
});

test('a recovery code does for the second factor, and apps need none', async () => {
  await using sandbox = await startSandbox({ otp: '246810' });
  const { server_nonce: nonce } = (await ask(sandbox, passwordLogin(sandbox))).json;
  const tokens = await postJson(`${sandbox.url}/mfa/verify`, { nonce, recoveryCode: '246810' });
  assert.equal(tokens.status, 200);
  assert.ok((await ask(sandbox, appLogin(sandbox))).json.access_token);
});

test('the token endpoint has a rate limit of its own', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  await using sandbox = await startSandbox({ tokenLimit: 2, waitSeconds: 7 });
  const first = await ask(sandbox, appLogin(sandbox));
  assert.equal(first.headers.get('x-rate-limit-remaining'), '1');
  await ask(sandbox, appLogin(sandbox));
  const limited = await ask(sandbox, appLogin(sandbox));
  says(limited, 420, 'rate_limit', null);
  assert.match(String(limited.json.error_description), /Please wait 7 seconds before trying again/);
  assert.ok(await works(sandbox, first.json.access_token));
  t.mock.timers.tick(7000);
  assert.equal((await ask(sandbox, appLogin(sandbox))).status, 200);
});

test('token requests are counted by grant, refused ones too', async () => {
  await using sandbox = await startSandbox();
  const { refresh_token } = (await ask(sandbox, appLogin(sandbox))).json;
  await refresh(sandbox, refresh_token);
  await refresh(sandbox, refresh_token);
  await postJson(`${sandbox.url}/oauth/token/v2`, { grant_type: 'password' });
  const counts = ['app', 'refresh_token', 'password'].map((grant) => sandbox.tokenRequests(grant));
  assert.deepEqual([...counts, sandbox.tokenRequests()], [1, 2, 1, 4]);
  assert.deepEqual(
    sandbox.seen.map(({ status }) => status),
    [200, 200, 400, 400],
  );
});

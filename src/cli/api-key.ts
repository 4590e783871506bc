import type { ApiKey } from '../client/token-endpoint.ts';
import type { KnownIdentity } from '../session/register.ts';
import { DamagedRecordError } from '../values/record.ts';
import type { Context } from './context.ts';
import { answerTo, secretFrom } from './credentials.ts';
import { warn } from './output.ts';

/** The options of login that name an API key. */
export interface ApiKeyOptions {
  readonly clientId?: string;
  readonly clientSecretFile?: string;
}

/** The API key to log in with: option, environment, what an earlier login stored, prompt. @throws {UsageError} */
export async function apiKeyFor(context: Context, options: ApiKeyOptions): Promise<ApiKey> {
  const { io, settings } = context;
  const asking = { io, mayAsk: settings.mayAsk };
  const usual = io.env.PODIO_CLIENT_ID;
  const ways = '--client-id ID, or PODIO_CLIENT_ID; make one at https://podio.com/settings/api';
  const known = [options.clientId, usual, earlier(context)?.clientId];
  const clientId = await answerTo({ what: "the API key's client id", ways }, known, asking);
  const given = await secretFrom(io, {
    file: options.clientSecretFile,
    option: '--client-secret',
  });
  // The variable's secret is of the variable's key.
  const ours = !usual || usual === clientId ? io.env.PODIO_CLIENT_SECRET : undefined;
  const stored = given || ours ? undefined : await storedSecret(context, clientId);
  const clientSecret = await answerTo(
    {
      what: "the API key's client secret",
      ways: '--client-secret-file FILE, or PODIO_CLIENT_SECRET with PODIO_CLIENT_ID',
      isSecret: true,
    },
    [given, ours, stored],
    asking,
  );
  return { clientId, clientSecret };
}

// The default's key before that of any other identity at the same API.
function earlier({ register, settings }: Context): KnownIdentity | undefined {
  const known = register.list().filter(({ apiUrl }) => apiUrl === settings.apiUrl);
  return register.default(settings.apiUrl) ?? known[0];
}

async function storedSecret(context: Context, clientId: string): Promise<string | undefined> {
  const { register, settings } = context;
  const known = register.list().filter((one) => one.apiUrl === settings.apiUrl && one.clientId === clientId);
  for (const identity of known) {
    const clientSecret = await secretOf(context, identity);
    if (clientSecret !== undefined) return clientSecret;
  }
  return undefined;
}

// A damaged session has no secret to give; it must not stop the login that would replace it.
async function secretOf(context: Context, identity: KnownIdentity): Promise<string | undefined> {
  try {
    return (await (await context.manager(identity.manager, identity)).get(identity)).clientSecret;
  } catch (error) {
    if (!(error instanceof DamagedRecordError)) throw error;
    warn(context.io, error.message);
    return undefined;
  }
}

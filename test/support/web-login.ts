import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { leakedIn } from './canary.ts';
import { type Outcome, outcome, type RunOptions, type World } from './cli.ts';

/** A `podio login --web` that waits for the browser; it ends with the test at the latest. */
export interface WebLogin extends Disposable {
  readonly child: ChildProcess;
  /** The authorize page's address, as it stands on standard error. */
  readonly url: string;
  readonly redirectUri: URL;
  readonly state: string;
  /** What it did in the end; it told no secret. */
  readonly ended: Promise<Outcome>;
}

/** Starts `podio login --web`; resolves once it has said where to go. */
export async function startWebLogin(
  world: World,
  words: readonly string[] = [],
  options: RunOptions = {},
): Promise<WebLogin> {
  const child = world.start(['login', '--web', ...words], options);
  const ended = outcome(child).then((told) => withoutSecrets(world, told));
  const url = await addressIn(child);
  const asked = new URL(url).searchParams;
  return {
    child,
    url,
    ended,
    redirectUri: new URL(asked.get('redirect_uri') ?? ''),
    state: asked.get('state') ?? '',
    [Symbol.dispose]: () => child.kill('SIGKILL'),
  };
}

/** What a browser brings back that was sent to the redirect address with these parameters. */
export function callback({ redirectUri }: WebLogin, parameters: Readonly<Record<string, string>>): URL {
  return new URL(`${redirectUri.href}?${new URLSearchParams(parameters)}`);
}

/** Grants access without a browser; answers the address that Podio sends the browser to. */
export async function grant(
  world: World,
  { url }: Pick<WebLogin, 'url'>,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const asked = Object.fromEntries(new URL(url).searchParams);
  const body = new URLSearchParams({ ...asked, user: '9001', decision: 'grant', ...more });
  const answer = await fetch(`${world.sandbox.url}/oauth/authorize`, {
    method: 'POST',
    body,
    redirect: 'manual',
  });
  return answer.headers.get('location') ?? '';
}

function addressIn(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
      const [, address] = /^(?:\{.*"url":")?(https?:[^\s"]+)(?:"\})?\n/m.exec(said) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.once('close', () => reject(new Error(`podio login --web ended: ${said}`)));
  });
}

function withoutSecrets({ sandbox }: World, told: Outcome): Outcome {
  assert.deepEqual(leakedIn(told.stdout + told.stderr, sandbox.secrets), []);
  return told;
}

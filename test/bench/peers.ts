import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { BARE, beside, type Program, type Stage } from './stage.ts';

/** Another way to make the same call; or why this machine cannot, with what would help. */
export type Peer = Program | { readonly name: string; readonly missing: string };

/** Node itself, which has nothing to do. */
export const NODE: Program = { name: 'node -e 0', command: process.execPath, args: ['-e', '0'], env: BARE };

/** Every peer, by name; those that the machine does not have tell so. */
export function findPeers(stage: Stage): readonly Peer[] {
  const env = { ...BARE, HOME: stage.folder, SESSION_FILE: stage.sessionFile, API_URL: stage.apiUrl };
  const php = ['-d', 'error_reporting=24575', beside('peers/guzzle.php')];
  return [
    NODE,
    curl(stage),
    guzzle({ name: 'php with Guzzle', command: 'php', args: php, env }),
    guzzle({
      name: 'php with Guzzle, https',
      ...{ command: 'php', args: php, env: { ...env, API_URL: stage.tlsUrl, CA_FILE: stage.trusted } },
    }),
    gh(stage),
    podioJs(stage, env),
    onPath(
      { name: 'python3', command: 'python3', args: [beside('peers/call.py')], env },
      'apt-get install python3',
    ),
  ];
}

/** Which versions of them this machine has. */
export function versions(): Record<string, string> {
  const found = ['curl', 'php', 'gh', 'python3'].filter(has).map((command) => {
    const told = execFileSync(command, ['--version'], { encoding: 'utf8' });
    return [command, /\d+(?:\.\d+)+/.exec(told)?.[0] ?? 'unknown'];
  });
  return { ...Object.fromEntries(found), 'podio-js': PODIO_JS };
}

const PODIO_JS = '1.6.1';

function curl({ folder, sessionFile, apiUrl }: Stage): Peer {
  const line = `T=$(sed 's/.*access_token":"\\([^"]*\\).*/\\1/' ${sessionFile}); exec curl -sf -H "Authorization: OAuth2 $T" ${apiUrl}/item/123`;
  const program = { name: 'curl', command: 'sh', args: ['-c', line], env: { ...BARE, HOME: folder } };
  return has('curl') ? program : { name: 'curl', missing: 'apt-get install curl' };
}

function guzzle(program: Program): Peer {
  if (has('php') && existsSync('/usr/share/php/GuzzleHttp/autoload.php')) return program;
  return { name: program.name, missing: 'apt-get install php-cli php-curl php-guzzlehttp-guzzle' };
}

// gh cannot be told an address; under this host it speaks plain http, and goes through a proxy.
function gh({ folder, proxyUrl, accessToken }: Stage): Peer {
  const env = {
    ...BARE,
    HOME: folder,
    GH_HOST: 'github.localhost',
    GH_ENTERPRISE_TOKEN: accessToken,
    GH_TOKEN: accessToken,
    GH_NO_UPDATE_NOTIFIER: '1',
    http_proxy: proxyUrl,
  };
  return onPath({ name: 'gh api', command: 'gh', args: ['api', '/item/123'], env }, 'apt-get install gh');
}

function podioJs({ folder }: Stage, env: Program['env']): Peer {
  const home = join(folder, 'podio-js');
  mkdirSync(home);
  const args = [
    'install',
    '--prefix',
    home,
    '--ignore-scripts',
    '--no-audit',
    '--prefer-offline',
    `podio-js@${PODIO_JS}`,
  ];
  const { status } = spawnSync('npm', args, { stdio: 'ignore' });
  const missing = { name: 'podio-js', missing: 'the npm registry' };
  if (status !== 0) return missing;
  const own = { ...env, PODIO_JS: join(home, 'script.cjs') };
  return { name: 'podio-js', command: process.execPath, args: [beside('peers/podio-js.cjs')], env: own };
}

function onPath(program: Program, missing: string): Peer {
  return has(program.command) ? program : { name: program.name, missing };
}

function has(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

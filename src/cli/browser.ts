import { type ChildProcess, spawn } from 'node:child_process';
import type { Environment } from '../values/places.ts';

/** Whether there is a browser to open in front of the person: BROWSER names one, or there is a screen to show it on. */
export function hasBrowser(env: Environment, platform = process.platform): boolean {
  if (env.BROWSER) return true;
  if (env.CI) return false;
  if (platform !== 'linux') return !env.SSH_CONNECTION;
  return Boolean(env.DISPLAY || env.WAYLAND_DISPLAY || env.WSL_DISTRO_NAME);
}

/**
 * Opens an address in the browser that BROWSER names (`firefox`, `firefox --new-window %s`; several with colons
 * between, the first that can be started), else in the system's. It is started without a shell and not waited for.
 * `failed` is called where it turns out that it could not show the address.
 */
export async function openBrowser(url: string, env: Environment, failed: () => void): Promise<void> {
  try {
    if (env.BROWSER) return start(commandsIn(env.BROWSER), { url, env, failed });
    const { default: open } = await import('open');
    watch(await open(url), failed);
  } catch {
    failed();
  }
}

interface Opening {
  readonly url: string;
  readonly env: Environment;
  readonly failed: () => void;
}

function start([command, ...others]: readonly (readonly string[])[], opening: Opening): void {
  if (command === undefined) opening.failed();
  else watch(spawned(command, opening), () => start(others, opening));
}

function spawned([file = '', ...args]: readonly string[], { url, env }: Opening): ChildProcess {
  const words = args.map((word) => word.replaceAll('%s', () => url));
  const isPlaced = args.some((word) => word.includes('%s'));
  const child = spawn(file, isPlaced ? words : [...args, url], { env, detached: true, stdio: 'ignore' });
  child.unref();
  return child;
}

function watch(browser: ChildProcess, failed: () => void): void {
  browser.once('error', failed);
  browser.once('exit', (code) => code !== 0 && failed());
}

// A drive's colon is none that divides.
function commandsIn(browser: string): string[][] {
  return browser
    .split(/(?<!(?:^|[\s:])[a-z]):/i)
    .map((command) => command.split(/\s+/).filter((word) => word !== ''))
    .filter((words) => words.length > 0);
}

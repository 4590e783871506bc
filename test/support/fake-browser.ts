import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** What a browser was started with. */
export interface Opened {
  readonly words: readonly string[];
  /** Its environment, one variable a line. */
  readonly env: string;
}

/** A program that tells the test what it was started with, where podio would start a browser. */
export interface FakeBrowser extends AsyncDisposable {
  /** The program's path. */
  readonly command: string;
  /** Resolves when it has been started. */
  opened(): Promise<Opened>;
}

/** Puts such a program into a folder. */
export async function fakeBrowser(folder: string, name = 'fake-browser'): Promise<FakeBrowser> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const told = once(server, 'request').then(async ([request, response]) => {
    const [env = '', ...words] = (await text(request as IncomingMessage)).split('\0');
    response.end();
    return { env, words: words.slice(0, -1) };
  });
  const command = join(folder, name);
  const script = `#!/bin/sh\n{ env; printf '\\0'; printf '%s\\0' "$@"; } | curl -s --data-binary @- http://127.0.0.1:${port}/\n`;
  writeFileSync(command, script, { mode: 0o700 });
  return {
    command,
    opened: () => told,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

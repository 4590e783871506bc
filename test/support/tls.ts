import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { createServer, RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** A web server under https with a certificate that nobody has signed but itself. */
export interface TlsServer extends AsyncDisposable {
  readonly port: number;
  /** The file of the certificate: whoever is told to trust it does. */
  readonly certificate: string;
}

/** Listens on the address of `host`, which is a name of this machine, and in its certificate; key and certificate go to the folder. @throws where openssl is not installed. */
export async function startTlsServer(
  folder: string,
  listener: RequestListener,
  host = 'localhost',
): Promise<TlsServer> {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const how =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=podio-test';
  const name = ['-addext', `subjectAltName=IP:127.0.0.1,DNS:${host}`, '-keyout', key, '-out', certificate];
  execFileSync('openssl', [...how.split(' '), ...name], { stdio: 'pipe' });
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, listener);
  // A client that does not trust us goes away, which is no trouble of ours.
  server.on('tlsClientError', () => {}).listen(0, host === 'localhost' ? '127.0.0.1' : host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, certificate, [Symbol.asyncDispose]: () => end(server) };
}

async function end(server: ReturnType<typeof createServer>): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

import { Connections } from '../../src/http/connections.ts';
import { take } from './wire.ts';

// Whom this process trusts is said when it starts (NODE_EXTRA_CA_CERTS): so it is one of its own.
const [origin = '', ...paths] = process.argv.slice(2);
using connections = new Connections(new AbortController().signal);
for (const path of paths) process.stdout.write((await take(origin, { connections, path })).body);

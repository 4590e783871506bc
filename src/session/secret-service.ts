import { connect } from 'node:net';

/*
 * As much of D-Bus as it takes to ask the Secret Service what libsecret cannot ask it: is this locked? libsecret
 * finds out by opening a prompt, and two prompts at once without a display leave gnome-keyring 42.1 waiting for
 * ever, for every program of the user, until it is started anew.
 * https://dbus.freedesktop.org/doc/dbus-specification.html · https://specifications.freedesktop.org/secret-service
 */

/** Whether the entry is there and locked; false where it is not, and where there is no service to say so. */
export async function isEntryLocked(service: string, account: string): Promise<boolean> {
  const body = await ask({
    path: '/org/freedesktop/secrets',
    interface: 'org.freedesktop.Secret.Service',
    member: 'SearchItems',
    signature: 'a{ss}',
    body: dictionary({ service, account }),
  });
  if (body === undefined) return false;
  // Two arrays, the paths of the unlocked entries and those of the locked ones, each after its length in bytes.
  const unlocked = body.uint32(0);
  return unlocked === 0 && body.uint32(4) > 0;
}

/** Whether new entries would go to a locked keyring; false where there is no service to say so. */
export async function isDefaultKeyringLocked(): Promise<boolean> {
  const body = await ask({
    path: '/org/freedesktop/secrets/aliases/default',
    interface: 'org.freedesktop.DBus.Properties',
    member: 'Get',
    signature: 'ss',
    body: addString(addString([], 'org.freedesktop.Secret.Collection'), 'Locked'),
  });
  // A variant: its signature "b" in three bytes, padded to four, then the value.
  return body?.uint32(4) === 1;
}

interface Call {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  readonly body: readonly number[];
}

/** An answer's content: numbers in the byte order that its sender chose. */
interface Body {
  uint32(offset: number): number;
}

/** The body of the answer; undefined where nobody answers, or with an error. */
async function ask(call: Call): Promise<Body | undefined> {
  const path = socketPath(process.env);
  if (path === undefined) return undefined;
  const hello = { path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus', member: 'Hello' };
  const uid = Buffer.from(String(process.getuid?.() ?? '')).toString('hex');
  const question = [
    Buffer.from(`\0AUTH EXTERNAL ${uid}\r\nBEGIN\r\n`),
    encodeCall(1, 'org.freedesktop.DBus', { ...hello, signature: '', body: [] }),
    encodeCall(2, 'org.freedesktop.secrets', call),
  ];
  return exchange(path, Buffer.concat(question));
}

/** The session bus's socket, as far as the address names one (D-Bus specification, "Server Addresses"). */
function socketPath(env: NodeJS.ProcessEnv): string | undefined {
  const address = env.DBUS_SESSION_BUS_ADDRESS;
  if (!address) return env.XDG_RUNTIME_DIR ? `${env.XDG_RUNTIME_DIR}/bus` : undefined;
  const [, kind, value = ''] = /^unix:(?:[^;]*,)?(path|abstract)=([^,;]*)/.exec(address) ?? [];
  const path = value.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return kind && (kind === 'abstract' ? `\0${path}` : path);
}

function exchange(path: string, question: Buffer): Promise<Body | undefined> {
  return new Promise((resolve) => {
    let received: Buffer = Buffer.alloc(0);
    const socket = connect(path, () => socket.write(question));
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => resolve(undefined));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      // The first answer is the bus's own, to Hello.
      const [, answer] = decodeAnswers(received);
      if (answer === undefined) return;
      resolve(answer.type === ERROR ? undefined : answer.body);
      socket.destroy();
    });
  });
}

const METHOD_CALL = 1;
const METHOD_RETURN = 2;
const ERROR = 3;

/** The answers among the whole messages that have come so far, after the line that ends the greeting. */
function decodeAnswers(received: Buffer): { type: number | undefined; body: Body }[] {
  const greeting = received.indexOf('\r\n');
  const answers = [];
  for (let start = greeting + 2; greeting >= 0 && received.length >= start + 16; ) {
    const head = bodyAt(received, start, start);
    const bodyStart = start + align(16 + head.uint32(12), 8);
    const end = bodyStart + head.uint32(4);
    if (received.length < end) break;
    const type = received[start + 1];
    if (type === METHOD_RETURN || type === ERROR)
      answers.push({ type, body: bodyAt(received, bodyStart, start) });
    start = end;
  }
  return answers;
}

function bodyAt(received: Buffer, start: number, message: number): Body {
  const isLittleEndian = received[message] === LITTLE_ENDIAN;
  const view = new DataView(received.buffer, received.byteOffset, received.length);
  return { uint32: (offset) => view.getUint32(start + offset, isLittleEndian) };
}

const LITTLE_ENDIAN = 'l'.charCodeAt(0);

function encodeCall(serial: number, destination: string, call: Call): Buffer {
  const fields: number[] = [];
  addString(addField(fields, 1, 'o'), call.path);
  addString(addField(fields, 2, 's'), call.interface);
  addString(addField(fields, 3, 's'), call.member);
  addString(addField(fields, 6, 's'), destination);
  addField(fields, 8, 'g').push(call.signature.length, ...Buffer.from(`${call.signature}\0`));
  const head = [LITTLE_ENDIAN, METHOD_CALL, 0, 1, ...uint32(call.body.length), ...uint32(serial)];
  return Buffer.from([...pad([...head, ...uint32(fields.length), ...fields], 8), ...call.body]);
}

// A header field is its code and a variant, whose signature is the type in three bytes.
function addField(fields: number[], code: number, type: string): number[] {
  pad(fields, 8).push(code, 1, type.charCodeAt(0), 0);
  return fields;
}

function dictionary(entries: Readonly<Record<string, string>>): number[] {
  const content: number[] = [];
  for (const [key, value] of Object.entries(entries)) addString(addString(pad(content, 8), key), value);
  return [...uint32(content.length), 0, 0, 0, 0, ...content];
}

function addString(bytes: number[], text: string): number[] {
  const content = Buffer.from(text);
  pad(bytes, 4).push(...uint32(content.length), ...content, 0);
  return bytes;
}

function uint32(value: number): number[] {
  return [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
}

function pad(bytes: number[], unit: number): number[] {
  while (bytes.length % unit !== 0) bytes.push(0);
  return bytes;
}

function align(offset: number, unit: number): number {
  return Math.ceil(offset / unit) * unit;
}

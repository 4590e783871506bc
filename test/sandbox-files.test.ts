import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type Sandbox, startSandbox } from '../src/sandbox/sandbox.ts';

type Json = Readonly<Record<string, unknown>>;

async function authorization({ url, accounts }: Sandbox): Promise<Record<string, string>> {
  const [[client], [app]] = [accounts.clients, accounts.apps];
  const key = { client_id: client?.id ?? '', client_secret: client?.secret ?? '' };
  const who = { grant_type: 'app', app_id: app?.id ?? '', app_token: app?.token ?? '' };
  const body = new URLSearchParams({ ...key, ...who });
  const response = await fetch(`${url}/oauth/token`, { method: 'POST', body });
  return { authorization: `OAuth2 ${((await response.json()) as Json).access_token}` };
}

function form(parts: Readonly<Record<string, string | File>>): FormData {
  const data = new FormData();
  for (const [name, part] of Object.entries(parts)) data.append(name, part);
  return data;
}

async function upload(
  sandbox: Sandbox,
  path: string,
  body: string | Buffer | FormData,
  type?: string,
): Promise<Response> {
  const headers = await authorization(sandbox);
  if (type !== undefined) headers['content-type'] = type;
  return fetch(sandbox.url + path, { method: 'POST', headers, body });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

test('a file comes back byte for byte under its own media type', async () => {
  await using sandbox = await startSandbox();
  const bytes = Buffer.concat([Buffer.from('\r\n--\r\n\0'), randomBytes(300_000), Buffer.from('\r\n')]);
  const source = new File([bytes], 'ignored.png', { type: 'image/png' });
  for (const path of ['/file/', '/file/v2/']) {
    const response = await upload(sandbox, path, form({ source, filename: 'Prüf “bild”.png' }));
    const file = (await response.json()) as Json;
    assert.deepEqual([response.status, file.name, file.size], [200, 'Prüf “bild”.png', bytes.length]);
    const raw = await fetch(String(file.link), { headers: await authorization(sandbox) });
    assert.equal(raw.headers.get('content-type'), 'image/png');
    assert.equal(sha256(Buffer.from(await raw.arrayBuffer())), sha256(bytes));
  }
});

test('the metadata of a file are an object of their own', async () => {
  await using sandbox = await startSandbox();
  const source = new File(['hello'], 'a.txt', { type: 'text/plain' });
  const { file_id } = (await (
    await upload(sandbox, '/file/', form({ source, filename: 'a.txt' }))
  ).json()) as Json;
  const headers = await authorization(sandbox);
  const file = (await (await fetch(`${sandbox.url}/file/${file_id}`, { headers })).json()) as Json;
  assert.deepEqual([file.file_id, file.mimetype, file.size], [file_id, 'text/plain', 5]);
  assert.equal((await fetch(`${sandbox.url}/file/1`, { headers })).status, 404);
});

test('an upload without source or filename is told which is missing', async () => {
  await using sandbox = await startSandbox();
  const source = new File(['hello'], 'a.txt');
  const told = async (parts: Readonly<Record<string, string | File>>): Promise<unknown[]> => {
    const response = await upload(sandbox, '/file/', form(parts));
    return [response.status, ((await response.json()) as Json).error_description];
  };
  const missing = 'No matching operation could be found. Missing parameters:';
  assert.deepEqual(await told({ source }), [404, `${missing} filename.`]);
  assert.deepEqual(await told({ filename: 'a.txt' }), [404, `${missing} source.`]);
  assert.deepEqual(await told({ x: '1' }), [404, `${missing} source, filename.`]);
  const [status] = await told({ source: 'no file', filename: 'a.txt' });
  assert.equal(status, 400);
});

test('a file may be empty', async () => {
  await using sandbox = await startSandbox();
  const response = await upload(sandbox, '/file/', form({ source: new File([], 'e'), filename: 'e' }));
  assert.equal(((await response.json()) as Json).size, 0);
});

test('a multipart body that is cut short or has no boundary is no upload', async () => {
  await using sandbox = await startSandbox();
  const part = '--b\r\nContent-Disposition: form-data; name="source"; filename="a"\r\n\r\nhello';
  for (const [body, type] of [
    [part, 'multipart/form-data; boundary=b'],
    [`${part}\r\n--b--\r\n`, 'multipart/form-data'],
    ['--b', 'multipart/form-data; boundary="b"'],
    ['', 'multipart/form-data; boundary=b'],
  ] as const) {
    assert.equal((await upload(sandbox, '/file/', body, type)).status, 404, JSON.stringify(body));
  }
});

test('a media type that could not be a header becomes octet-stream', async () => {
  await using sandbox = await startSandbox();
  const part = (head: string, content: string): string =>
    `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`;
  const odd = part('name="source"; filename="a"\r\nContent-Type: text/plaïn', 'hello');
  const body = `${odd}${part('name="filename"', 'a')}--b--\r\n`;
  const response = await upload(sandbox, '/file/', body, 'multipart/form-data; boundary=b');
  assert.equal(((await response.json()) as Json).mimetype, 'application/octet-stream');
});

test('20 MB arrive whole, and little of them is kept in what was seen', async () => {
  await using sandbox = await startSandbox();
  const bytes = Buffer.alloc(20 * 1024 * 1024, 'podio');
  const head = '--b\r\nContent-Disposition: form-data; name="source"; filename="a"\r\n\r\n';
  const tail = '\r\n--b\r\nContent-Disposition: form-data; name="filename"\r\n\r\nbig\r\n--b--\r\n';
  const body = Buffer.concat([Buffer.from(head), bytes, Buffer.from(tail)]);
  const response = await upload(sandbox, '/file/', body, 'multipart/form-data; boundary=b');
  assert.equal(((await response.json()) as Json).size, bytes.length);
  assert.ok((sandbox.seen.at(-1)?.body.length ?? 0) <= 64 * 1024);
});

test('a body beyond 100 MB is read to its end and refused', async () => {
  await using sandbox = await startSandbox();
  const megabyte = new Uint8Array(1024 * 1024);
  let sent = 0;
  const stream = new ReadableStream({
    pull: (controller) => {
      controller.enqueue(megabyte);
      sent += 1;
      if (sent === 102) controller.close();
    },
  });
  const headers = { ...(await authorization(sandbox)), 'content-type': 'multipart/form-data; boundary=b' };
  const options = { method: 'POST', headers, body: stream, duplex: 'half' } as const;
  assert.equal((await fetch(`${sandbox.url}/file/`, options)).status, 413);
});

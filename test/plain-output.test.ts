import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { Output } from '../src/cli/io.ts';
import { write } from '../src/cli/output.ts';
import { PlainOutput } from '../src/cli/plain-output.ts';
import { loggedIn, shell } from './support/commands.ts';

function never(): Output {
  throw new Error('nobody needed the stream');
}

// The descriptor of a child's standard input, which is not waited for where it is full.
function descriptorOf({ stdin }: ChildProcess): number {
  return (stdin as Writable & { _handle: { fd: number } })._handle.fd;
}

function fill(descriptor: number): number {
  let length = 0;
  try {
    for (;;) length += writeSync(descriptor, 'x'.repeat(1000));
  } catch (error) {
    assert.match(String(error), /EAGAIN/);
    return length;
  }
}

test('a few bytes go to a file at once, in their order, without a stream', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'podio-test-'));
  const descriptor = openSync(join(folder, 'file'), 'w');
  const output = new PlainOutput({ descriptor, open: never });
  for (const words of ['one ', 'zwölf ', Buffer.from('three')]) await write(output, words);
  closeSync(descriptor);
  assert.deepEqual([output.isTTY, output.columns], [false, undefined]);
  assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'one zwölf three');
  rmSync(folder, { recursive: true });
});

test('what a full pipe does not take waits for its reader, in order, and keeps nobody from ending', async (t) => {
  const child = spawn('sh', ['-c', 'read go <&3; cat'], { stdio: ['pipe', 'pipe', 'inherit', 'pipe'] });
  t.after(() => child.kill());
  const descriptor = descriptorOf(child);
  const length = fill(descriptor);
  const output = new PlainOutput({ descriptor, open: () => child.stdin as Output });
  const written = Promise.all(['a', 'b'.repeat(5000), 'c'].map((words) => write(output, words)));
  (child.stdio[3] as Writable).end('go\n');
  await written;
  child.stdin?.end();
  assert.equal(
    (await text(child.stdout as NonNullable<typeof child.stdout>)).slice(length),
    `a${'b'.repeat(5000)}c`,
  );
});

test('a reader that has gone is told as such', async () => {
  await using world = await loggedIn();
  const script = 'mkfifo p; exec 3<>p 4>p 3<&-; podio --version >&4; echo "exit $?"';
  assert.deepEqual(await shell(world, script), { exit: 0, stdout: 'exit 0\n', stderr: '' });
});

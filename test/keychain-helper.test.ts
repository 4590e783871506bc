import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Keychain } from '../src/session/keychain.ts';
import {
  buildHelper,
  busyHelper,
  helper,
  helpers,
  removeHelper,
  startFor,
  startParent,
  until,
} from './support/keychain.ts';

before(buildHelper);
after(removeHelper);

describe('The helper process', () => {
  test('shows no secret to others, and takes from the environment what leads to the keychain alone', async (t) => {
    const keyring = await startFor(t);
    const env = { ...keyring.env, NODE_OPTIONS: '--no-warnings', PODIO_CLIENT_SECRET: 'SECRET' };
    keyring.stop();
    const saved = new Keychain({ env, helper }).set('entry', 'SECRET');
    const pid = await busyHelper();
    const read = (what: string) => readFileSync(`/proc/${pid}/${what}`, 'utf8').replaceAll('\0', ' ');
    assert.doesNotMatch(read('cmdline') + read('environ'), /SECRET|NODE_OPTIONS/);
    assert.match(read('environ'), /DBUS_SESSION_BUS_ADDRESS=/);
    const [, , group] = read('stat')
      .replace(/^.*\) /, '')
      .split(' ');
    assert.equal(group, pid, 'Ctrl-C would reach it');
    keyring.resume();
    await saved;
  });

  test('tries whether the keychain can be written, and takes away what a killed one left there', async (t) => {
    const keyring = await startFor(t);
    const keychain = new Keychain({ env: keyring.env, helper });
    await keychain.set('podio probe', 'left by a killed one');
    await keychain.probe();
    assert.equal(await keyring.count(), 0);
  });

  test('ends with its parent when it reads', async (t) => {
    const keyring = await startFor(t);
    keyring.stop();
    const parent = startParent(keyring, "get('entry')");
    await busyHelper();
    parent.kill('SIGKILL');
    await until(() => helpers().length === 0, 500);
  });

  test('finishes what it saves when its parent is killed', async (t) => {
    const keyring = await startFor(t);
    keyring.stop();
    const parent = startParent(keyring, "set('entry', 'kept')");
    await busyHelper();
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    keyring.resume();
    await until(() => helpers().length === 0, 10_000);
    assert.equal(await keyring.lookup('entry'), 'kept');
  });

  test('saves what it was asked for by a process that was killed before it heard anything', async (t) => {
    const keyring = await startFor(t);
    const parent = startParent(keyring, "set('entry', 'kept')");
    const pid = Number(await until(() => helpers()[0], 10_000));
    process.kill(pid, 'SIGSTOP');
    // Its request lies in the pipe by then.
    await pause(500);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    process.kill(pid, 'SIGCONT');
    await until(() => helpers().length === 0, 10_000);
    assert.equal(await keyring.lookup('entry'), 'kept');
  });
});

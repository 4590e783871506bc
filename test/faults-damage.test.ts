import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { parseJsonObject } from '../src/values/json.ts';
import { ATTEMPTS, attemptOf, Clinic, isCalm } from './support/clinic.ts';
import { succeeds } from './support/commands.ts';
import { damaged, knownDamages } from './support/damage.ts';
import { seeded } from './support/random.ts';

const COUNT = 2000;
const GIGABYTE = 2 ** 30;

suite('row 7: damaged files', () => {
  test(`sessions in each state that has a name, and one of a gigabyte`, async () => {
    await using clinic = await Clinic.open();
    const [file, other] = clinic.files('sessions');
    for (const [name, bytes] of Object.entries(
      knownDamages(clinic.healthy(file), clinic.healthy(other ?? file)),
    ))
      for (const attempt of ATTEMPTS) await clinic.tryWith(file, bytes, attempt, name);
    for (const { argv, exits } of ATTEMPTS) {
      clinic.heal();
      truncateSync(file, GIGABYTE);
      isCalm(await clinic.run(argv), exits, 'a gigabyte');
      assert.ok(readdirSync(dirname(file)).length <= 3);
    }
  });

  test(`sessions, ${COUNT} at random`, async () => {
    await using clinic = await Clinic.open();
    const [file, other] = clinic.files('sessions');
    for (let seed = 0; seed < COUNT; seed++) {
      const bytes = damaged(clinic.healthy(file), clinic.healthy(other ?? file), seeded(seed));
      await clinic.tryWith(file, bytes, attemptOf(seed), `seed ${seed}`);
    }
  });

  test('of damaged sessions the last three are kept, and none once its identity is logged out', async () => {
    await using clinic = await Clinic.open();
    const [file] = clinic.files('sessions');
    const kept = () => readdirSync(dirname(file)).filter((name) => name.includes('.corrupt-'));
    for (let count = 0; count < 5; count++) {
      writeFileSync(file, `damaged ${count}`);
      isCalm(await clinic.run(['call', '/item/123']), [8], String(count));
    }
    assert.deepEqual(
      kept().map((name) => readFileSync(join(dirname(file), name), 'utf8')),
      ['damaged 2', 'damaged 3', 'damaged 4'],
    );
    succeeds(await clinic.run(['logout', 'app:123456']));
    assert.deepEqual(kept(), []);
  });

  test('a damaged session is kept as it was by a login that takes its place, and by whoever meets it first', async () => {
    await using clinic = await Clinic.open();
    const [file] = clinic.files('sessions');
    const argvs = [['login', '--app', '123456'], ['call', '/item/123'], ['refresh'], ['status'], ['token']];
    for (const argv of argvs) {
      await clinic.runWith(file, Buffer.from('damaged'), argv);
      const kept = readdirSync(dirname(file)).filter((name) => name.includes('.corrupt-'));
      assert.deepEqual(
        kept.map((name) => readFileSync(join(dirname(file), name), 'utf8')),
        ['damaged'],
        argv.join(' '),
      );
      assert.ok(kept.every((name) => (statSync(join(dirname(file), name)).mode & 0o777) === 0o600));
    }
  });

  test("another identity's session is not used, and is called what it is", async () => {
    await using clinic = await Clinic.open();
    const [file, other = ''] = clinic.files('sessions');
    const { exit, stderr } = await clinic.runWith(file, clinic.healthy(other), ['call', '/item/123']);
    assert.equal(exit, 8, stderr);
    assert.match(stderr, /the stored session is another identity's; its file was kept as/);
  });

  test('a session that a newer podio stored is not damaged: it is named, and stays where it is', async () => {
    await using clinic = await Clinic.open();
    const [file] = clinic.files('sessions');
    const newer = Buffer.from(clinic.healthy(file).toString().replace('"version":1', '"version":2'));
    for (const argv of [['call', '/item/123'], ['refresh'], ['status'], ['token']]) {
      const { exit, stdout, stderr } = await clinic.runWith(file, newer, argv);
      assert.equal(exit, 8);
      assert.match(stdout + stderr, /stored by a newer podio/);
      assert.deepEqual(readFileSync(file), newer, argv.join(' '));
    }
  });

  for (const folder of ['identities', 'defaults', 'cool-downs']) {
    test(`${folder}, 200 at random and each state that has a name`, async () => {
      await using clinic = await Clinic.open();
      const [file, other] = clinic.files(folder);
      const known = Object.entries(knownDamages(clinic.healthy(file), clinic.healthy(other ?? file)));
      for (const [at, [name, bytes]] of known.entries())
        isCalm(await clinic.runWith(file, bytes, attemptOf(at).argv), [0, 3], name);
      for (let seed = 0; seed < 200; seed++) {
        const bytes = damaged(clinic.healthy(file), clinic.healthy(other ?? file), seeded(seed));
        isCalm(await clinic.runWith(file, bytes, attemptOf(seed).argv), [0, 3, 6], `seed ${seed}`);
      }
    });
  }

  test(`settings, ${COUNT} at random and each state that has a name`, async () => {
    await using clinic = await Clinic.open();
    const { file, healthy, other } = clinic.settings();
    const known = Object.entries(knownDamages(healthy, other));
    const random = Array.from({ length: COUNT }, (_, seed) => damaged(healthy, other, seeded(seed)));
    const all = [...known, ...Object.entries(random)];
    for (const [at, [name, bytes]] of all.entries()) {
      const isIgnored = parseJsonObject(bytes.toString()) === undefined;
      // What nothing can be read from says nothing of the API: then the environment does.
      const env = isIgnored ? {} : { PODIO_API_URL: undefined, PODIO_SESSION_MANAGER: undefined };
      const done = await clinic.runWith(file, bytes, attemptOf(at).argv, env);
      isCalm(done, isIgnored ? [0] : [0, 2, 3], name);
      if (isIgnored) assert.match(done.stderr, /^podio: warning: the settings in .* are not a JSON object/);
      if (done.exit === 2)
        assert.match(done.stderr, /config\.json|no session manager|of this app identity/, name);
    }
  });
});

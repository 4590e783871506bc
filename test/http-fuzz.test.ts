import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { damaged, inPieces, type MadeAnswer, validAnswer } from './support/answers.ts';
import { inTime } from './support/promptly.ts';
import { type Random, seeded } from './support/random.ts';
import { RawServer } from './support/raw-server.ts';
import { deliver, type Taken, take, takeWithNode } from './support/wire.ts';

// Others are tried with PODIO_TEST_SEED=2, more with PODIO_TEST_ANSWERS=100000.
const SEED = Number(process.env.PODIO_TEST_SEED ?? 1);
const COUNT = Number(process.env.PODIO_TEST_ANSWERS ?? 1000);

/** What podio and Node each took an answer for; undefined where they refused it. */
interface Reading {
  readonly made: MadeAnswer;
  readonly ours: Taken | undefined;
  readonly nodes: Taken | undefined;
}

/** Lets both clients read every answer, in pieces of any size. Ends once each of their connections is closed. */
async function readings(all: readonly MadeAnswer[], random: Random): Promise<Reading[]> {
  const open = new Set<Socket>();
  await using server = await RawServer.start((socket, head) => {
    const { wire } = all[Number(/ \/(\d+) /.exec(head)?.[1])] ?? { wire: '' };
    open.add(socket.once('close', () => open.delete(socket)));
    deliver(socket, inPieces(wire, random), true);
  });
  const read = async (made: MadeAnswer, at: number): Promise<Reading> => {
    const { method } = made;
    const [ours, nodes] = await Promise.allSettled([
      take(server.url, { method, path: `/${at}` }),
      takeWithNode(server.url, method, `/${at}`),
    ]);
    return { made, ours: taken(ours), nodes: taken(nodes) };
  };
  const found: Reading[] = [];
  const waiting = all.entries();
  const work = async () => {
    for (const [at, made] of waiting) found.push(await inTime(read(made, at), 10));
  };
  await Promise.all(Array.from({ length: 20 }, work));
  while (open.size > 0) await inTime(new Promise((resolve) => [...open][0]?.once('close', resolve)), 10);
  return found;
}

function taken(result: PromiseSettledResult<Taken>): Taken | undefined {
  return result.status === 'fulfilled' ? result.value : undefined;
}

test('whatever is a right answer, podio reads as Node does', async () => {
  const random = seeded(SEED);
  const made = Array.from({ length: COUNT }, () => validAnswer(random));
  for (const { made: answer, ours, nodes } of await readings(made, random)) {
    assert.ok(nodes !== undefined, JSON.stringify(answer));
    assert.deepEqual(ours, nodes, JSON.stringify(answer));
  }
});

// Node's parser is stricter than the rules here.
const TAKEN_BY_US_ALONE = [
  /\r\n[\t ]/, // A folded line: who receives an answer reads it as one (RFC 9112 §5.2).
  /^content-length:.*\t\r$/im, // A tab after a value is a blank as others are (RFC 9110 §5.6.3).
  /\r\n[\da-f]+;[^\r\n]*\r\n/i, // An extension of a chunk is ignored, whatever it says (RFC 9112 §7.1.1).
  /\r\n0+\r\n(?:.+\r\n)*content-length:/i, // So is a length in a trailer (RFC 9110 §6.5.1).
];

test('of damaged answers, podio takes none that Node refuses, and reads in none anything else', async () => {
  const random = seeded(SEED + 1);
  const made = Array.from({ length: 2 * COUNT }, () => damaged(validAnswer(random), random));
  const found = await readings(made, random);
  for (const { made: answer, ours, nodes } of found) {
    if (ours === undefined) continue;
    if (nodes !== undefined) assert.deepEqual(ours, nodes, JSON.stringify(answer));
    else
      assert.ok(
        TAKEN_BY_US_ALONE.some((why) => why.test(answer.wire)),
        JSON.stringify(answer),
      );
  }
  const refused = found.filter(({ ours }) => ours === undefined).length;
  assert.ok(refused > COUNT / 2 && refused < 1.9 * COUNT, `${refused} of ${2 * COUNT} are refused`);
});

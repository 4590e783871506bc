import { below, oneOf, type Random } from './random.ts';

type Damage = (bytes: Buffer, other: Buffer, random: Random) => Buffer;

/** What disks, crashes, editors and careless copying make of a file; `other` is another file of its kind. */
const DAMAGES: readonly Damage[] = [
  function flipBits(bytes, _, random) {
    const flipped = Buffer.from(bytes);
    for (let count = 1 + below(4, random); count > 0; count--) {
      const at = below(flipped.length, random);
      flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << below(8, random)), at);
    }
    return flipped;
  },
  function cut(bytes, _, random) {
    return bytes.subarray(0, below(bytes.length, random));
  },
  function loseTheFront(bytes, _, random) {
    return bytes.subarray(1 + below(bytes.length - 1, random));
  },
  function splice(bytes, other, random) {
    return Buffer.concat([
      bytes.subarray(0, below(bytes.length, random)),
      other.subarray(below(other.length, random)),
    ]);
  },
  function zero(bytes, _, random) {
    const from = below(bytes.length, random);
    return Buffer.from(bytes).fill(0, from, Math.min(bytes.length, from + 1 + below(64, random)));
  },
  function repeat(bytes, _, random) {
    const [a, b] = [below(bytes.length, random), below(bytes.length, random)];
    return Buffer.concat([bytes.subarray(0, a), bytes.subarray(Math.min(a, b))]);
  },
  function changeDigits(bytes, _, random) {
    const digit = () => oneOf([...'0123456789eE.-+'], random);
    return Buffer.from(
      bytes.toString('latin1').replace(/\d/g, (old) => (random() < 0.1 ? digit() : old)),
      'latin1',
    );
  },
  function changeAField(bytes, _, random) {
    const field = oneOf([...bytes.toString('latin1').matchAll(/"(\w+)":/g)], random)[1] ?? '';
    const value = oneOf(
      ['null', '-1', '1e308', '1e999', '[]', '{}', 'true', '"\\u0000"', '"\\ud800"', '""'],
      random,
    );
    const text = bytes
      .toString('latin1')
      .replace(new RegExp(`"${field}":("[^"]*"|[^,}]*)`), `"${field}":${value}`);
    return Buffer.from(text, 'latin1');
  },
];

/** A file after one thing that can happen to it. */
export function damaged(bytes: Buffer, other: Buffer, random: Random): Buffer {
  return oneOf(DAMAGES, random)(bytes, other, random);
}

/** Damages that have a name, and what is no such file at all. */
export function knownDamages(bytes: Buffer, other: Buffer): Record<string, Buffer> {
  const text = bytes.toString('latin1');
  return {
    'nothing at all': Buffer.alloc(0),
    'blanks only': Buffer.alloc(4096, ' '),
    'zeros only': Buffer.alloc(4096),
    'a BOM before it': Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]),
    'UTF-16': Buffer.from(`\ufeff${text}`, 'utf16le'),
    'no UTF-8': Buffer.alloc(512, 0xff),
    'zeros behind it': Buffer.concat([bytes, Buffer.alloc(100)]),
    'it twice': Buffer.concat([bytes, bytes]),
    'a third of it': bytes.subarray(0, Math.floor(bytes.length / 3)),
    'a merge conflict': Buffer.from(`<<<<<<< HEAD\n${text}\n=======\n${text}\n>>>>>>> other\n`, 'latin1'),
    "another one's": other,
    null: Buffer.from('null'),
    'a list': Buffer.from(`[${text}]`, 'latin1'),
    'a text': Buffer.from(JSON.stringify(text)),
    'a number': Buffer.from('1e999'),
    'an empty object': Buffer.from('{}'),
    'a __proto__': Buffer.from(`{"__proto__":${text},"constructor":{"prototype":{"version":1}}}`, 'latin1'),
    'a thousand levels': Buffer.from(`${'[{"a":'.repeat(1000)}1${'}]'.repeat(1000)}`),
    'the version as a text': Buffer.from(text.replace('"version":1', '"version":"1"'), 'latin1'),
    'no version': Buffer.from(text.replace('"version":1', '"version":null'), 'latin1'),
    'a life without end': Buffer.from(text.replace(/"expires_in":\d+/, '"expires_in":1e308'), 'latin1'),
    'a time beyond all times': Buffer.from(
      text.replace(/"obtained_at":\d+/, '"obtained_at":1e300'),
      'latin1',
    ),
    'a version to come': Buffer.from(text.replace('"version":1', '"version":2'), 'latin1'),
    'a version of old': Buffer.from(text.replace('"version":1', '"version":0'), 'latin1'),
  };
}

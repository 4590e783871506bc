/** Which addresses the fuzzed URLs are made of. */
export interface FuzzOptions {
  /** Host and port of the API itself. */
  readonly own: string;
  /** A port of this machine where somebody else listens. */
  readonly foreign: number;
  readonly seed: number;
}

const SCHEMES = [
  '',
  '',
  'http:',
  'http:',
  'https:',
  'HTTP:',
  'hTtP:',
  'ftp:',
  'javascript:',
  'blob:http:',
  'file:',
];
const SLASHES = ['', '/', '/', '//', '//', '//', '//', '//', '//', '///', '////', '\\\\', '/\\', '\\/', '\\'];
const NOISE = [
  ...['\t', ' ', '\0', '\x7f', '\x1b', '\xa0', '\xad', '/', '\\', '@', ':', ';', '#', '?', '%', '[', ']'],
  ...[
    '%2f',
    '%5c',
    '%40',
    '%00',
    '%23',
    '%2e%2e/',
    '..',
    '.',
    '..;/',
    '/../',
    '/./',
    '&',
    '=',
    "'",
    '"',
    '|',
  ],
  ...['\u3002', '\uff0f', '\uff20', '\uff1a', '\u2044', '\u200b', '\u202e', '\u2100', 'é', '\ud83d\ude00'],
];

/** So many addresses, most of them leading elsewhere or nowhere, some to the API; always the same for one seed. */
export function fuzzedUrls(count: number, options: FuzzOptions): string[] {
  const random = randomOf(options.seed);
  return Array.from({ length: count }, () => fuzzedUrl(options, random));
}

type Random = (below: number) => number;

/** Mulberry32: small, even enough, and the same everywhere. */
function randomOf(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function fuzzedUrl({ own, foreign }: FuzzOptions, random: Random): string {
  const one = (of: readonly string[]) => of[random(of.length)] ?? '';
  const theirs = ['127.0.0.1', 'localhost', '[::1]', '127.1', '0', '0x7f000001'].map(
    (host) => `${host}:${foreign}`,
  );
  const hosts = [...theirs, own, own, own, own, own.replace(/:.*/, `:${foreign}`), 'api.podio.com', ''];
  const users = [
    '',
    '',
    '',
    '',
    '',
    '',
    'user@',
    'user:pass@',
    `${own}@`,
    `${own}%40`,
    `${own}#@`,
    `${own}\\@`,
    '@',
  ];
  const tails = ['', '/', '/item/123', '?x=1', '#x', '/a/../../b', `/@${one(theirs)}`, `//${one(theirs)}/x`];
  const url = one(SCHEMES) + one(SLASHES) + one(users) + one(hosts) + one(tails);
  return random(2) === 0 ? url : withNoise(url, one(NOISE), random(url.length + 1));
}

function withNoise(url: string, noise: string, at: number): string {
  return url.slice(0, at) + noise + url.slice(at);
}

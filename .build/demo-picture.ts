import { execFileSync } from 'node:child_process';

/** The columns of the terminal in the picture; what is longer goes on in the next line, as in a terminal. */
const COLUMNS = 88;
const [CELL, LINE, MARGIN, BAR] = [8.43, 20, 20, 34];

/** Runs the demo and answers what it printed, line by line, without what differs from run to run. */
export function recordDemo(): string[] {
  const script = 'node bin/podio.js sandbox -- sh test/demo.sh 2>&1';
  // Nothing of whoever draws it: neither a language of his own nor a wish for colour.
  const { PATH, HOME } = process.env;
  const printed = execFileSync('sh', ['-c', script], {
    env: { PATH, HOME, LANG: 'C.UTF-8' },
    encoding: 'utf8',
  });
  return steady(printed).trim().split('\n');
}

/** The text with a home, a port, a time and the end of a file's name that are the same in every run. */
export function steady(text: string): string {
  return text
    .replace(/\/\S*\/tmp\.\w+/g, '~')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:4000')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z \(in [^)]*\)/g, '18:00 (in 8 hours)')
    .replace(/(app-123456)-[0-9a-f]{24}/g, '$1-…');
}

/** The lines as an SVG of a terminal in which they appear one by one; light and dark as whoever looks at it likes it. */
export function pictureOf(recorded: readonly string[]): string {
  const lines = recorded.flatMap(wrapped);
  const [width, height] = [Math.ceil(COLUMNS * CELL + 2 * MARGIN), lines.length * LINE + BAR + MARGIN];
  let seconds = 0;
  const texts = lines.map((line, at) => {
    seconds += line.startsWith('$ ') ? 1.2 : 0.1;
    return textAt(line, BAR + MARGIN + at * LINE, seconds);
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">podio logs in, calls the API, renews an ended token once, and logs out</title>
<style>${STYLE}</style>
<rect class="back" width="${width}" height="${height}" rx="10"/>
${[20, 40, 60].map((x) => `<circle class="button" cx="${x}" cy="18" r="5.5"/>`).join('')}
${texts.filter((text) => text !== '').join('\n')}
</svg>
`;
}

// Without animations, as in a printed page, every line is there from the beginning.
const STYLE = `
  svg { --back: #ffffff; --edge: #d0d7de; --text: #1f2328; --dim: #59636e; --prompt: #1a7f37; }
  @media (prefers-color-scheme: dark) {
    svg { --back: #0d1117; --edge: #3d444d; --text: #e6edf3; --dim: #9198a1; --prompt: #3fb950; }
  }
  .back { fill: var(--back); stroke: var(--edge); }
  .button { fill: var(--edge); }
  text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: var(--text); white-space: pre; }
  .command { font-weight: 600; }
  .prompt { fill: var(--prompt); }
  .aside { fill: var(--dim); }
  @media (prefers-reduced-motion: no-preference) {
    text { animation: appear 0.2s backwards; }
    @keyframes appear { from { opacity: 0; } }
  }
`;

function textAt(line: string, y: number, seconds: number): string {
  if (line === '') return '';
  const isCommand = line.startsWith('$ ');
  const kind = isCommand ? ' class="command"' : line.startsWith('  …') ? ' class="aside"' : '';
  const words = isCommand ? `<tspan class="prompt">$</tspan>${escaped(line.slice(1))}` : escaped(line);
  const place = `x="${MARGIN}" y="${y}" style="animation-delay:${seconds.toFixed(1)}s"`;
  return `<text${kind} ${place} xml:space="preserve">${words}</text>`;
}

function wrapped(line: string): string[] {
  const letters = [...line];
  const parts: string[] = [];
  do parts.push(letters.splice(0, COLUMNS).join(''));
  while (letters.length > 0);
  return parts;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

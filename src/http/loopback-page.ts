import { createHash } from 'node:crypto';

/** What the browser is shown. Nothing of what it came with is in it. */
export interface Page {
  readonly status: number;
  readonly mark: '✓' | '!';
  readonly title: string;
  /** Sentences; `code` stands between backticks. */
  readonly text: string;
}

/** The pages, by what has become of the login. */
export const PAGES = {
  done: {
    status: 200,
    mark: '✓',
    title: 'You are logged in',
    text: 'Close this tab and go back to the terminal. Now `podio call GET /user/status` works there.',
  },
  denied: {
    status: 200,
    mark: '!',
    title: 'Access was not granted',
    text: 'Nothing was stored. To try again, type `podio login --web` in the terminal.',
  },
  failed: {
    status: 200,
    mark: '!',
    title: 'The login did not work',
    text: 'The terminal says why. To try again, type `podio login --web` there.',
  },
  answered: {
    status: 409,
    mark: '!',
    title: 'This login has been answered',
    text: 'Another tab was faster. Close this one and go back to the terminal.',
  },
  stranger: {
    status: 403,
    mark: '!',
    title: 'This is not the way to log in',
    text: 'A `podio login --web` waits here for an answer of Podio, and this is not it. Look for the tab with Podio’s page, or start again in the terminal.',
  },
} as const satisfies Readonly<Record<string, Page>>;

const STYLE = `
:root { color-scheme: light dark }
body { font: 17px/1.6 system-ui, sans-serif; max-width: 34rem; margin: 18vh auto 0; padding: 0 1.5rem }
b { display: grid; place-items: center; width: 2.6rem; height: 2.6rem; margin-bottom: 1.25rem; border-radius: 50%;
  font-size: 1.4rem; color: #fff; background: #b45309 }
b.done { background: #15803d }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .75rem }
code { font: .95em ui-monospace, monospace; padding: .1em .35em; border-radius: .3em; background: #8883 }
small { display: block; margin-top: 3rem; opacity: .65 }
`;

/** Headers under which nothing of a page is kept, run, framed or told to others. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${hash(STYLE)}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  connection: 'close',
};

/** A page as HTML that needs no script and loads nothing. */
export function pageHtml({ mark, title, text }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>${title} · podio</title>
<style>${STYLE}</style>
</head>
<body>
<b${mark === '✓' ? ' class="done"' : ''} aria-hidden="true">${mark}</b>
<h1>${title}</h1>
<p>${text.replace(/`([^`]+)`/g, '<code>$1</code>')}</p>
<small>From podio, the command-line tool, on this computer.</small>
</body>
</html>
`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

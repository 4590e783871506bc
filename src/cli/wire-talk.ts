import type { HttpResponse, Watch } from '../http/http.ts';
import type { Io } from './io.ts';
import { say, visible } from './output.ts';
import { shownHeader, shownPath } from './redact.ts';

/** Tells on standard error each request that goes out and each answer's head, secrets left out, and what time it took. */
export function wireTalk(io: Io): Watch {
  let since = performance.now();
  return {
    sent: ({ method, path, headers }) => {
      since = performance.now();
      say(io, visible(`> ${method} ${shownPath(path)} HTTP/1.1`));
      for (const [name, value] of Object.entries(headers)) tell(io, '>', name, String(value));
    },
    answered: ({ status, statusText, rawHeaders }: HttpResponse) => {
      say(io, visible(`< HTTP/1.1 ${status} ${statusText}`.trimEnd()));
      for (let at = 0; at < rawHeaders.length; at += 2) {
        tell(io, '<', rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '');
      }
      say(io, `< ${status} in ${Math.round(performance.now() - since)} ms`);
    },
  };
}

function tell(io: Io, mark: string, name: string, value: string): void {
  say(io, visible(`${mark} ${name}: ${shownHeader(name, value)}`));
}

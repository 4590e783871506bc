/** How long a process that comes late to its own deadline still listens. */
const GRACE_MS = 1000;

/**
 * Aborts with a TimeoutError after so many milliseconds. A process that was stopped (^Z) or asleep meanwhile finds
 * its time up before it has read what was sent to it, tokens perhaps that are given once: it listens a little longer.
 */
export function deadline(ms: number): AbortSignal {
  const controller = new AbortController();
  const end = () => controller.abort(new DOMException('the time is up', 'TimeoutError'));
  const due = performance.now() + ms;
  const check = () => (performance.now() - due < GRACE_MS / 4 ? end() : setTimeout(end, GRACE_MS).unref());
  setTimeout(check, ms).unref();
  return controller.signal;
}

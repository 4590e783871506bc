const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** A time as ISO 8601 and as people say it: `2026-11-23T20:00:00.000Z (in 7 hours)`. */
export function inWords(iso: string, now: number): string {
  const distance = Date.parse(iso) - now;
  const [unit, size] = UNITS.find(([, ms]) => Math.abs(distance) >= ms) ?? ['second', 1000];
  const count = Math.round(Math.abs(distance) / size);
  const span = `${count} ${unit}${count === 1 ? '' : 's'}`;
  return `${iso} (${distance < 0 ? `${span} ago` : `in ${span}`})`;
}

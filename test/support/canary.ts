/** The secrets that a text holds, plain or in the ways in which programs write them down. Short ones prove nothing. */
export function leakedIn(text: string, secrets: readonly string[]): string[] {
  return secrets
    .filter((secret) => secret.length >= 8)
    .filter((secret) => disguises(secret).some((disguise) => text.includes(disguise)));
}

function disguises(secret: string): string[] {
  const escaped = JSON.stringify(secret).slice(1, -1);
  return [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ '': secret }).toString().slice(1),
    escaped,
    escaped.replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
    Buffer.from(secret).toString('hex'),
    ...[0, 1, 2].map((shift) => base64(secret, shift)),
  ];
}

// The middle of it, which is alike whatever stands before and behind: Basic authorization is "id:secret".
function base64(secret: string, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)]).toString('base64');
  return text.slice(shift === 0 ? 0 : 4, -4);
}

import type { ApiRequest } from './api-request.ts';

/** One part of a multipart/form-data body. */
export interface Part {
  readonly name: string;
  /** Of a file; undefined for a plain value. */
  readonly filename: string | undefined;
  /** `application/octet-stream` where the part names none. */
  readonly mimetype: string;
  /** A view of the request's body, not a copy. */
  readonly content: Buffer;
}

/** The parts of a multipart/form-data body (RFC 7578), whatever bytes they hold; none where it is no such thing. */
export function parseMultipart({ headers, body }: ApiRequest): Part[] {
  const type = headers['content-type'] ?? '';
  const [, quoted, plain] = /^multipart\/form-data\s*;.*?boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(type) ?? [];
  const boundary = quoted ?? plain;
  return boundary === undefined
    ? []
    : sections(body, `--${boundary}`).flatMap((section) => part(section) ?? []);
}

/** What lies between two delimiter lines; what follows the last whole delimiter is dropped. */
function sections(body: Buffer, delimiter: string): Buffer[] {
  const found: Buffer[] = [];
  let start = body.indexOf(`${delimiter}\r\n`);
  while (start !== -1) {
    const from = start + delimiter.length + 2;
    // The line break before a delimiter belongs to the delimiter (RFC 2046 §5.1.1).
    const end = body.indexOf(`\r\n${delimiter}`, from - 2);
    if (end !== -1) found.push(body.subarray(from, Math.max(from, end)));
    start = end === -1 || isLast(body, end + 2 + delimiter.length) ? -1 : end + 2;
  }
  return found;
}

function isLast(body: Buffer, at: number): boolean {
  return body.subarray(at, at + 2).toString('latin1') === '--';
}

function part(section: Buffer): Part | undefined {
  const blank = section.indexOf('\r\n\r\n');
  if (blank === -1) return undefined;
  const head = section.subarray(0, blank).toString('utf8');
  const name = parameter(head, 'name');
  if (name === undefined) return undefined;
  const filename = parameter(head, 'filename');
  return { name, filename, mimetype: mimetype(head), content: section.subarray(blank + 4) };
}

function parameter(head: string, name: string): string | undefined {
  const disposition = /^content-disposition:(.*)$/im.exec(head)?.[1] ?? '';
  const [, quoted, plain] = new RegExp(`;\\s*${name}=(?:"([^"]*)"|([^;\\s]+))`, 'i').exec(disposition) ?? [];
  // Browsers and undici escape these three and nothing else (RFC 7578 §4.2, WHATWG form data).
  return (quoted ?? plain)?.replace(/%22/g, '"').replace(/%0D/gi, '\r').replace(/%0A/gi, '\n');
}

function mimetype(head: string): string {
  const [, named] = /^content-type:\s*([\w.+-]+\/[\w.+-]+(?:\s*;[ -~]*)?)\s*$/im.exec(head) ?? [];
  return named ?? 'application/octet-stream';
}

import { sha256 } from '@noble/hashes/sha2';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils';

/**
 * The SHA-256 of a text, in hex. In plain JavaScript, because a few hundred bytes are hashed by it sooner than
 * `node:crypto` is loaded, which takes a tenth of the time that Node takes to start.
 */
export function hashOf(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text)));
}

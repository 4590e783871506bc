import { writeFileSync } from 'node:fs';
import { pictureOf, recordDemo } from './demo-picture.ts';

// npm run picture: the README's picture, from a real run of the demo.
writeFileSync('docs/demo.svg', pictureOf(recordDemo()));

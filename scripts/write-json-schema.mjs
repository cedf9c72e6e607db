// Writes the published JSON Schema of the result document beside the compiled code.
import { writeFileSync } from 'node:fs';
import { resultJsonSchema } from '../dist/app/index.js';

writeFileSync(
  new URL('../dist/result.schema.json', import.meta.url),
  `${JSON.stringify(resultJsonSchema(), null, 2)}\n`,
);

#!/usr/bin/env node
import { existsSync } from 'node:fs';

const major = Number(process.versions.node.split('.')[0]);
const main = new URL('../dist/app/main.js', import.meta.url);
if (major < 20) {
  console.error(`aibench: Node ${process.versions.node} is too old. Install Node 20 or later.`);
  process.exit(2);
} else if (!existsSync(main)) {
  console.error('aibench: this clone has not been built. Run `npm ci && npm run build` first.');
  process.exit(2);
} else {
  await import(main.href);
}

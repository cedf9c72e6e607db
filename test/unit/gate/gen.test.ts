import { writeFileSync, mkdirSync } from 'node:fs';
import { it } from 'vitest';
import { syntheticDocument } from '/work/main/test/fixtures/synthetic.ts';
it('gen', () => {
  writeFileSync('/tmp/gw/a.json', JSON.stringify(syntheticDocument({ seed: 1, cases: 4, launches: 10, watts: 100 })));
  writeFileSync('/tmp/gw/b.json', JSON.stringify(syntheticDocument({ seed: 2, cases: 4, launches: 10, watts: 110, speed: i => [1, 0.85, 1.1, 0.97][i] ?? 1, betweenSd: 0.02 })));
  mkdirSync('/tmp/gw/fleet', { recursive: true });
  for (let i = 0; i < 1000; i++) writeFileSync(`/tmp/gw/fleet/n${i}.json`, JSON.stringify(syntheticDocument({ seed: 100 + i, cases: 200, launches: 5, samples: 4, host: `host-${i}`, label: `node-${i}`, speed: k => i === 123 ? 0.9 : i === 500 && k < 5 ? 0.8 : 1 })));
}, 600000);

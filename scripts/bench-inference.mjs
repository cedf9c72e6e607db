// What the engines cost: a trivial model, ResNet-50 and BERT through the harness's own loop, each sample beside one of the C API in a
// plain C++ loop or of onnxruntime-node's session.run; the copy of a 64 MB output; decoding with a KV cache that stays in place; two
// sessions at once. Needs `npm run build:native -- --tests`. The server scenario has a bench of its own, bench-server.mjs.
//
//   node scripts/bench-inference.mjs [--only trivial,models,output,decode,sessions] [--seconds 6] [--json]
//
// Exits 1 when a bar is missed: ort-native more than 1.15 times the C++ loop, ort-node more than its session.run floor + 0.5 us, either more
// than 1 % above its floor on ResNet-50 or BERT, two sessions below 1.7 of 2, or a stall of the event
// loop of more than 20 ms.
import process from 'node:process';
import { readFlags } from './flags.mjs';
import { models, trivial } from './inference/overhead.mjs';
import { decoding, largeOutput, twoAtOnce } from './inference/sessions.mjs';

const PARTS = {
  trivial: seconds => trivial(seconds),
  models: seconds => models(2 * seconds),
  output: () => largeOutput(),
  decode: () => decoding(),
  sessions: seconds => twoAtOnce(Math.ceil(seconds)),
};

const { values: flags } = readFlags(import.meta.url, {
  options: {
    only: { type: 'string', default: Object.keys(PARTS).join(',') },
    seconds: { type: 'string', default: '6' },
    json: { type: 'boolean', default: false },
  },
});
const seconds = Number(flags.seconds);
const results = {};
const missed = [];
for (const name of flags.only.split(',')) {
  const part = PARTS[name];
  if (part === undefined) throw new Error(`--only takes ${Object.keys(PARTS).join(', ')}, not ${name}`);
  const { result, lines, missed: bars } = await part(seconds);
  results[name] = result;
  missed.push(...bars);
  if (!flags.json) console.log(lines.join('\n'));
}
if (flags.json) console.log(JSON.stringify({ ...results, missed }, null, 2));
for (const bar of missed) console.error(`missed: ${bar}`);
process.exit(missed.length > 0 ? 1 : 0);

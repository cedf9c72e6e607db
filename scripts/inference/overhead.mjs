// The harness against its floor, sample beside sample: ort-native against the C API in a plain C++ loop, ort-node against
// onnxruntime-node's own session.run.
import {
  addGraph,
  addInput,
  cachedModel,
  median,
  medianInterval,
  ms,
  openBare,
  openHarness,
  openPlain,
  openSame,
  pairs,
  parts,
  us,
} from './setup.mjs';

const { findModel } = parts;

const NATIVE_LIMIT = 1.15;
const NODE_LIMIT_SECONDS = 0.5e-6;
const MODEL_LIMIT = 1.01;
const BERT_TOKENS = 64;

async function hold(engine, file, inputs, fetches, timing) {
  const subject = await openHarness(engine, file, inputs, fetches);
  const floor = await (engine === 'ort-native' ? openPlain(file, {}, fetches) : openBare(file, inputs, fetches));
  const taken = await pairs(subject, floor, timing);
  await subject.release();
  await floor.release();
  return {
    seconds: median(taken.map(pair => pair.subject)),
    floorSeconds: median(taken.map(pair => pair.floor)),
    ratio: medianInterval(taken.map(pair => pair.subject / pair.floor)),
    extraSeconds: medianInterval(taken.map(pair => pair.subject - pair.floor)),
  };
}

/** Add [1, 4]: p50 per inference. */
export async function trivial(seconds) {
  const file = addGraph('tiny.onnx', 4);
  const timing = {
    maxWarmupSeconds: 0.5,
    minSampleSeconds: 0.001,
    targetSeconds: seconds,
    minSamples: 50,
    maxSamples: 100_000,
  };
  const native = await hold('ort-native', file, addInput(4), ['y'], timing);
  const node = await hold('ort-node', file, addInput(4), ['y'], timing);
  const interval = ({ low, high }, show) => `${show(low)} to ${show(high)}`;
  return {
    result: { native, node },
    lines: [
      'Add [1, 4], p50 per inference and the median of the pairs, with its 95 % interval',
      `  C API in a C++ loop ${us(native.floorSeconds)}, ort-native ${us(native.seconds)}: ${native.ratio.median.toFixed(3)} x (${interval(native.ratio, x => x.toFixed(3))}; at most ${NATIVE_LIMIT})`,
      `  session.run, bare   ${us(node.floorSeconds)}, ort-node   ${us(node.seconds)}: + ${us(node.extraSeconds.median)} (${interval(node.extraSeconds, us)}; at most + 0.50 us)`,
    ],
    missed: [
      ...(native.ratio.median > NATIVE_LIMIT ? ['ort-native takes too long on a trivial model'] : []),
      ...(node.extraSeconds.median > NODE_LIMIT_SECONDS ? ['ort-node takes too long on a trivial model'] : []),
    ],
  };
}

/**
 * ResNet-50 and BERT, one thread: harness and floor in turn on one session and the same inputs. Two sessions of the same model differ by several per
 * cent, since their memory lies elsewhere; on one they do not.
 */
export async function models(seconds) {
  const rows = [];
  for (const [name, dims] of [
    ['resnet50', { batch: 1, sequence: 1 }],
    ['bert-base', { batch: 1, sequence: BERT_TOKENS }],
  ]) {
    const model = findModel(name);
    const file = cachedModel(model, model.build());
    const inputs = model.inputs(dims, 1);
    const timing = {
      maxWarmupSeconds: 0.5,
      minSampleSeconds: 0,
      targetSeconds: seconds,
      minSamples: 10,
      maxSamples: 100_000,
    };
    for (const engine of ['ort-native', 'ort-node']) {
      const { subject, floor, release } = await openSame(engine, file, inputs, [model.output]);
      const taken = await pairs(subject, floor, timing);
      await release();
      rows.push({
        name,
        engine,
        seconds: median(taken.map(pair => pair.subject)),
        floorSeconds: median(taken.map(pair => pair.floor)),
        ratio: medianInterval(taken.map(pair => pair.subject / pair.floor)),
        betweenSeconds: median(taken.map(pair => pair.betweenSeconds)),
      });
    }
  }
  return {
    result: rows,
    lines: [
      'One inference, one thread, harness against floor (C++ loop, session.run) on the same session, in turn: median of the pairs and its 95 % interval',
      ...rows.map(
        ({ name, engine, floorSeconds, seconds: taken, ratio, betweenSeconds }) =>
          `  ${name.padEnd(10)} ${engine.padEnd(10)} ${ms(floorSeconds)}, ${ms(taken)}: ${ratio.median.toFixed(4)} x (${ratio.low.toFixed(4)} to ${ratio.high.toFixed(4)}, ${ratio.pairs} pairs; at most ${MODEL_LIMIT}); ${us(betweenSeconds)} between samples`,
      ),
    ],
    missed: rows
      .filter(({ ratio }) => ratio.median > MODEL_LIMIT)
      .map(row => `${row.engine} costs too much on ${row.name}`),
  };
}

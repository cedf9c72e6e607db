// One rank of scripts/bench-wire.mjs: rank 0 measures the list that it is given and prints one JSON line; others follow.
import { createRequire } from 'node:module';
import process from 'node:process';

const native = createRequire(import.meta.url)(process.env.AIBENCH_ADDON);
const mpi = native.joinMpi('bench-wire');
if (mpi.info().rank > 0) {
  await mpi.follow();
} else {
  const rows = [];
  for (const { collective, bytes } of JSON.parse(process.argv[2])) {
    const problem = mpi.createCollective({ collective, dtype: 'f32', op: 'sum', bytes, seed: 1 });
    await problem.prepare();
    const { passed } = await problem.runAndVerify();
    if (!passed) throw new Error(`${collective} of ${bytes} B is wrong`);
    const { samplesSeconds, iterationsPerSample } = await problem.measure({
      maxWarmupSeconds: 0.05,
      minSampleSeconds: 0.02, // several calls back to back: a barrier and one call would add a skew of about alpha
      targetSeconds: 0.3,
      minSamples: 5,
      maxSamples: 50,
    });
    const sorted = [...samplesSeconds].sort((a, b) => a - b);
    // The first quartile: what other programs of this machine take from the ranks and from the wire only adds.
    rows.push({ collective, bytes, seconds: sorted[sorted.length >> 2] / iterationsPerSample });
    problem.dispose();
  }
  console.log(JSON.stringify(rows));
  mpi.endFollowers(0);
}
mpi.finalize();

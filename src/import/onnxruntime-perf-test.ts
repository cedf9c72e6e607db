/**
 * onnxruntime_perf_test: its standard output. It prints totals and quantiles, not its samples: the total makes a rate that
 * can be worked out again; the quantiles are kept as facts.
 */
import type { Importer } from './importer.ts';
import { notThis } from './json-input.ts';

const NUMBER = '([0-9.eE+-]+)';

export const onnxruntimePerfTest: Importer = {
  name: 'onnxruntime-perf-test',
  summary: 'onnxruntime_perf_test: standard output',
  parse: (text, name) => {
    const read = (label: string): number | null => {
      const value = Number(new RegExp(`^${label}:\\s*${NUMBER}`, 'mi').exec(text)?.[1] ?? 'none');
      return Number.isFinite(value) ? value : null;
    };
    const requests = read('Total inference requests');
    const seconds = read('Total inference run time') ?? read('Total inference time cost');
    if (requests === null || seconds === null || !(requests >= 1) || !(seconds > 0))
      throw notThis(name, 'onnxruntime_perf_test', 'requests and total time are not in it');
    const facts = {
      sessionCreationSeconds: read('Session creation time cost'),
      latencySecondsP50: read('P50 Latency'),
      latencySecondsP90: read('P90 Latency'),
      latencySecondsP99: read('P99 Latency'),
      latencySecondsMin: read('Min Latency'),
      latencySecondsMax: read('Max Latency'),
    };
    const provider = /^using (\S+?)(?:ExecutionProvider)?\s*$/im.exec(text)?.[1] ?? 'unknown';
    return {
      cases: [
        {
          workload: 'onnxruntime-perf-test',
          params: { provider },
          device: provider,
          launches: [{ samplesSeconds: [seconds], iterationsPerSample: requests, work: { items: requests } }],
          metrics: ['inferences_per_second'],
          verification: null,
          facts,
        },
      ],
      machine: {},
      warnings: [],
    };
  },
};

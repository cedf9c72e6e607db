import { describe, expect, it } from 'vitest';
import { METRICS, metricDefinition } from '../../../src/analysis/metrics.ts';
import {
  ceilingWarnings,
  shareOfLimit,
  steadinessWarnings,
  summarizeMetrics,
} from '../../../src/analysis/summarize.ts';
import type { Launch } from '../../../src/results/schema.ts';

function launch(samplesSeconds: number[], over: Partial<Launch> = {}): Launch {
  return {
    index: 0,
    status: 'ok',
    seed: 1,
    order: 0,
    samplesSeconds,
    iterationsPerSample: 10,
    work: { flops: 1000, items: 10 },
    warmup: { samplesSeconds: [], settled: true },
    ceilings: { fma_flops_per_second: 4000 },
    state: {},
    ...over,
  };
}

describe('the value of one launch', () => {
  it('a throughput is total work over total time, not a mean of rates', () => {
    // Samples of 1 s and 3 s: 2000 FLOP in 4 s. The mean of the rates would be 667.
    expect(metricDefinition('flops_per_second')?.ofLaunch(launch([1, 3]))).toBe(500);
  });

  it('a latency is a type 7 quantile of the time per iteration', () => {
    const one = launch([1, 2, 3, 4, 10]);
    expect(metricDefinition('latency_seconds_p50')?.ofLaunch(one)).toBeCloseTo(0.3, 12);
    expect(metricDefinition('latency_seconds_p90')?.ofLaunch(one)).toBeCloseTo(0.76, 12);
  });

  it('the skew of ranks is that of the median sample, per iteration', () => {
    const rank = (number: number, samplesSeconds: number[]) => ({ rank: number, host: 'a', samplesSeconds });
    const ranks = [rank(0, [1, 2, 5]), rank(1, [4, 2, 6]), rank(2, [2, 2, 4])];
    const skew = metricDefinition('rank_skew_seconds_p50');
    expect(skew?.ofLaunch(launch([1, 2, 5], { ranks }))).toBeCloseTo(0.2, 12);
    expect(skew?.ofLaunch(launch([1, 2, 5]))).toBeNull();
  });

  it('a load latency is the time of one load', () => {
    expect(metricDefinition('load_latency_seconds')?.ofLaunch(launch([2]))).toBeCloseTo(0.2, 12);
  });

  it('the times of tokens come from the generations’ own parts, the throughput from the whole', () => {
    const tokenTimes = { firstTokenSeconds: [0.5, 0.7], interTokenSeconds: [0.1, 0.1, 0.1, 0.5] };
    const one = launch([1, 3], { iterationsPerSample: 1, work: { tokens: 4, promptTokens: 6, items: 2 }, tokenTimes });
    const value = (name: string) => metricDefinition(name)?.ofLaunch(one);
    expect(value('output_tokens_per_second')).toBe(2);
    // Two prompts of 6 tokens in 1.2 s; four steps of 2 rows in 0.8 s.
    expect(value('prefill_tokens_per_second')).toBeCloseTo(10, 12);
    expect(value('decode_tokens_per_second')).toBeCloseTo(10, 12);
    expect(metricDefinition('decode_tokens_per_second')?.ofLaunch(launch([1, 3], { work: { tokens: 4 } }))).toBe(2);
    expect(value('time_to_first_token_seconds_p50')).toBeCloseTo(0.6, 12);
    expect(value('inter_token_latency_seconds_p50')).toBeCloseTo(0.1, 12);
    expect(value('inter_token_latency_seconds_p99')).toBeGreaterThan(0.45);
    expect(value('time_per_output_token_seconds')).toBeCloseTo(0.2, 12);
    expect(metricDefinition('time_per_output_token_seconds')?.ofLaunch(launch([1]))).toBeNull();
  });

  it('the rate of a server is over the window: its samples overlap', () => {
    const one = launch([1, 3, 5], { iterationsPerSample: 1, windowSeconds: [10, 16] });
    expect(metricDefinition('server_queries_per_second')?.ofLaunch(one)).toBe(0.5);
    expect(metricDefinition('server_queries_per_second')?.ofLaunch(launch([1]))).toBeNull();
    expect(metricDefinition('early_stopping_latency_seconds_p90')?.ofLaunch(one)).toBeNull();
    const many = launch(
      Array.from({ length: 64 }, (_, i) => i + 1),
      { iterationsPerSample: 1 },
    );
    expect(metricDefinition('early_stopping_latency_seconds_p90')?.ofLaunch(many)).toBe(64);
  });

  it('is null where the launch lacks what it takes', () => {
    expect(metricDefinition('bytes_per_second')?.ofLaunch(launch([1]))).toBeNull();
    expect(metricDefinition('flops_per_second')?.ofLaunch(launch([]))).toBeNull();
  });

  it('every metric has a unit, a direction and a summary', () => {
    for (const { name, unit, better, summary } of METRICS) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(unit).not.toBe('');
      expect(['higher', 'lower']).toContain(better);
      expect(summary).not.toBe('');
    }
  });
});

describe('a case over its launches', () => {
  it('has the geometric mean and a t interval on logarithms', () => {
    const { flops_per_second: metric } = summarizeMetrics(
      [launch([1]), launch([2]), launch([4])],
      ['flops_per_second'],
    );
    // Logarithms of 1000, 500, 250: mean ln 500, sd ln 2; t(0.975, 2) = 4.302653 (tables), se = ln 2 / sqrt 3.
    expect(metric?.value).toBeCloseTo(500, 9);
    const half = (4.302652729911275 * Math.log(2)) / Math.sqrt(3);
    expect(metric?.interval?.[0]).toBeCloseTo(500 * Math.exp(-half), 6);
    expect(metric?.interval?.[1]).toBeCloseTo(500 * Math.exp(half), 6);
    expect(metric?.launches).toBe(3);
  });

  it('has no interval from one launch, however many samples it took', () => {
    const { flops_per_second: metric } = summarizeMetrics([launch(Array(1000).fill(1))], ['flops_per_second']);
    expect(metric?.interval).toBeNull();
  });

  it('leaves out launches that failed or were interrupted', () => {
    const launches = [launch([1]), launch([100], { status: 'interrupted' }), launch([], { status: 'failed' })];
    expect(summarizeMetrics(launches, ['flops_per_second']).flops_per_second).toMatchObject({ launches: 1 });
    expect(summarizeMetrics(launches, ['flops_per_second']).flops_per_second?.value).toBeCloseTo(1000, 9);
  });
});

describe('the share of a limit', () => {
  const rule = { ceiling: 'fma_flops_per_second', metric: 'flops_per_second' };

  it('is taken within each launch, so that a moving clock does not count', () => {
    const slow = launch([2], { ceilings: { fma_flops_per_second: 1000 } });
    const fast = launch([1], { ceilings: { fma_flops_per_second: 2000 } });
    expect(shareOfLimit([slow, fast], rule)).toMatchObject({ fraction: 0.5, value: 1500 });
  });

  it('takes the highest ceiling where a launch beats its own, and says so', () => {
    const disturbed = launch([1], { ceilings: { fma_flops_per_second: 800 } });
    const quiet = launch([1], { ceilings: { fma_flops_per_second: 1250 } });
    expect(shareOfLimit([disturbed, quiet], rule)).toMatchObject({ fraction: 0.8, value: 1250 });
    expect(ceilingWarnings([disturbed, quiet], rule).map(({ code }) => code)).toEqual(['CEILING_DISTURBED']);
    expect(ceilingWarnings([quiet, quiet], rule)).toEqual([]);
  });

  it('is above 1 where the rate beats every ceiling', () => {
    const impossible = launch([1], { ceilings: { fma_flops_per_second: 800 } });
    expect(shareOfLimit([impossible, impossible], rule)?.fraction).toBe(1.25);
  });

  it('of a roofline names what binds in most launches', () => {
    const roofline = { ceiling: 'roofline_flops_per_second', metric: 'flops_per_second' };
    const at = (roof: number) =>
      launch([1], { ceilings: { fma_flops_per_second: 4000, roofline_flops_per_second: roof } });
    expect(shareOfLimit([at(2000), at(2000), at(4000)], roofline)).toMatchObject({ fraction: 0.5, boundBy: 'memory' });
    expect(shareOfLimit([at(2000), at(4000), at(4000)], roofline)).toMatchObject({
      fraction: 0.25,
      boundBy: 'compute',
    });
    expect(shareOfLimit([at(4000)], rule)).not.toHaveProperty('boundBy');
  });

  it('is null where a launch lacks the ceiling', () => {
    expect(shareOfLimit([launch([1], { ceilings: {} })], rule)).toBeNull();
  });
});

describe('warnings about launches', () => {
  const codes = (launches: Launch[]): string[] =>
    steadinessWarnings(launches, 'flops_per_second').map(({ code }) => code);

  it('none for steady ones', () => expect(codes([launch([1]), launch([1.001]), launch([0.999])])).toEqual([]));
  it('launches that vary', () => expect(codes([launch([1]), launch([1.2]), launch([0.9])])).toContain('LAUNCHES_VARY'));
  it('a first launch that stands out', () =>
    expect(codes([launch([1.5]), launch([1]), launch([1.001]), launch([0.999])])).toContain('FIRST_LAUNCH_DIFFERS'));
  it('a launch that failed', () =>
    expect(codes([launch([1]), launch([], { status: 'failed', reason: 'x' })])).toContain('LAUNCH_FAILED'));
  it('a warm-up that did not settle', () =>
    expect(codes([launch([1], { warmup: { samplesSeconds: [], settled: false } })])).toContain('WARMUP_UNSETTLED'));
});

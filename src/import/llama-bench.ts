/**
 * llama-bench: `-o json` (an array) or `-o jsonl`. Prompt processing is prefill, generation is decode; a test of both
 * (`-pg`) has no metric of its own here and is left out. Repetitions are samples of one process.
 */
import * as z from 'zod';
import type { ImportedCase, Importer } from './importer.ts';
import { jsonInput } from './json-input.ts';

const testSchema = z.object({
  model_filename: z.string().optional(),
  model_type: z.string().optional(),
  cpu_info: z.string().optional(),
  gpu_info: z.string().optional(),
  backends: z.string().optional(),
  build_commit: z.string().optional(),
  n_prompt: z.number().min(0),
  n_gen: z.number().min(0),
  n_depth: z.number().min(0).optional(),
  n_batch: z.number().optional(),
  n_threads: z.number().optional(),
  n_gpu_layers: z.number().optional(),
  test_time: z.iso.datetime({ offset: true }).optional(),
  samples_ns: z.array(z.number().positive()).min(1),
});

type Test = z.infer<typeof testSchema>;

function toCase(test: Test): ImportedCase[] {
  const { n_prompt: prompt, n_gen: generated } = test;
  if (prompt > 0 === generated > 0) return [];
  const model = test.model_type ?? test.model_filename ?? 'unknown';
  return [
    {
      workload: 'llama-bench',
      params: {
        model,
        prompt,
        generated,
        depth: test.n_depth ?? 0,
        batch: test.n_batch ?? null,
        threads: test.n_threads ?? null,
        gpuLayers: test.n_gpu_layers ?? null,
      },
      device: test.gpu_info !== undefined && test.gpu_info !== '' ? test.gpu_info : 'cpu',
      launches: [
        {
          samplesSeconds: test.samples_ns.map(nanoseconds => nanoseconds / 1e9),
          iterationsPerSample: 1,
          work: { tokens: prompt > 0 ? prompt : generated },
        },
      ],
      metrics: [prompt > 0 ? 'prefill_tokens_per_second' : 'decode_tokens_per_second'],
      verification: null,
      facts: { backends: test.backends ?? null, buildCommit: test.build_commit ?? null },
    },
  ];
}

export const llamaBench: Importer = {
  name: 'llama-bench',
  summary: 'llama-bench -o json, or -o jsonl',
  parse: (text, name) => {
    const trimmed = text.trim();
    // One object per line is made one array; a pretty-printed array is one already.
    const whole = trimmed.startsWith('[') ? trimmed : `[${trimmed.split(/\r?\n/).join(',')}]`;
    const tests = jsonInput(whole, name, 'llama-bench', z.array(testSchema));
    const both = tests.filter(test => test.n_prompt > 0 && test.n_gen > 0).length;
    const first = tests[0];
    return {
      cases: tests.flatMap(toCase),
      machine: {
        ...(first?.cpu_info !== undefined && { cpuBrand: first.cpu_info.trim() }),
        ...(first?.gpu_info ? { accelerators: [{ name: first.gpu_info }] } : {}),
      },
      ...(first?.test_time !== undefined && { createdAt: first.test_time }),
      warnings:
        both === 0
          ? []
          : [
              {
                code: 'IMPORT_LEFT_OUT',
                message: `${both} tests of prompt and generation together were left out: they are neither prefill nor decode.`,
                remedy: 'Run llama-bench with -p and -n apart.',
              },
            ],
    };
  },
};

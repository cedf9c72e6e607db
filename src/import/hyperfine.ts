/** hyperfine: `--export-json`. Every run is a process of its own, and so a launch. */
import * as z from 'zod';
import type { Importer } from './importer.ts';
import { jsonInput } from './json-input.ts';

const schema = z.object({
  results: z.array(
    z.object({
      command: z.string().max(4000),
      times: z.array(z.number().positive()).optional(),
      exit_codes: z.array(z.number().nullable()).optional(),
      parameters: z.record(z.string(), z.string().max(1000)).optional(),
    }),
  ),
});

export const hyperfine: Importer = {
  name: 'hyperfine',
  summary: 'hyperfine --export-json',
  parse: (text, name) => {
    const { results } = jsonInput(text, name, 'hyperfine --export-json', schema);
    return {
      cases: results
        .filter(({ times }) => times !== undefined)
        .map(({ command, times = [], exit_codes: codes = [], parameters = {} }) => ({
          workload: 'hyperfine',
          params: { command, ...parameters },
          device: 'cpu',
          launches: times.map((seconds, index) => {
            const code = codes[index] ?? 0;
            return {
              samplesSeconds: [seconds],
              iterationsPerSample: 1,
              work: {},
              ...(code !== 0 && { failed: `the command exited with ${code}` }),
            };
          }),
          metrics: ['latency_seconds_p50'],
          verification: null,
          facts: {},
        })),
      machine: {},
      warnings: [],
    };
  },
};

import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest come first, so that no core waits for the other at the end. A fresh clone knows no durations. */
const LONGEST = [
  'integration/native-sanitizers',
  'integration/native-aarch64',
  'e2e/run',
  'integration/native-tests',
  'integration/mpi',
  'e2e/verify',
  'e2e/gpu',
  'integration/inference',
  'e2e/release',
  'e2e/bundle',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const found = LONGEST.findIndex(name => moduleId.endsWith(`test/${name}.test.ts`));
      return found < 0 ? LONGEST.length : found;
    };
    return files.toSorted((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    include: ['test/{unit,integration,e2e}/**/*.test.ts'],
    globalSetup: [],
    testTimeout: 30_000,
    // Two cores: end-to-end tests start processes of their own.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
});

/** The stand-in for a GPU vendor's libraries: native/test/fake_gpu.cc holds the functions of all of them. */
import type { GpuLibraries, GpuVendor } from '../../src/native/types.ts';
import { buildFakeLibrary } from './fake-library.ts';

export { noCompiler, noCompilerReason } from './fake-library.ts';

export interface FakeGpu {
  /** Path of the library that holds all the functions. */
  library: string;
  /** A copy without the function of that name. */
  without(symbol: string): string;
  libraries(
    vendor: GpuVendor,
    paths?: Partial<Record<'driver' | 'matmul' | 'collective' | 'compiler', string>>,
  ): GpuLibraries;
  /** Runs `body` with the fake told what to do. */
  told<T>(orders: string, body: () => T | Promise<T>): Promise<T>;
  remove(): void;
}

export function buildFakeGpu(): FakeGpu {
  const { path: library, without, told, remove } = buildFakeLibrary('fake_gpu', 'FAKE_GPU');
  return {
    library,
    without,
    told,
    remove,
    libraries: (vendor, paths = {}) => ({
      vendor,
      driver: [paths.driver ?? library],
      matmul: [paths.matmul ?? library],
      collective: [paths.collective ?? library],
      compiler: vendor === 'rocm' ? [paths.compiler ?? library] : [],
    }),
  };
}

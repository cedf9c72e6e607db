import { describe, expect, it } from 'vitest';
import { sensorsOf, withoutOtherGpus } from '../../../src/analysis/energy-scope.ts';

describe('the energy of a case on some of the GPUs', () => {
  const sources = [['gpu-0'], ['gpu-1'], ['package-0'], ['node', 'gpu-0', 'gpu-1'], []].map(covers => ({ covers }));

  it('leaves out the GPUs that did nothing for it', () => {
    expect(withoutOtherGpus(sources, ['gpu-1']).map(source => source.covers)).toEqual([
      ['gpu-1'],
      ['package-0'],
      ['node', 'gpu-0', 'gpu-1'],
      [],
    ]);
  });

  it('keeps all where it is not known which they were', () => {
    expect(withoutOtherGpus(sources, [])).toEqual(sources);
  });

  it('knows GPUs by the numbers of AMD SMI and of the kernel, too', () => {
    const amd = [['gpu-amdsmi-0'], ['gpu-amdsmi-1'], ['gpu-amdgpu-0'], ['gpu-0'], ['package-0']].map(covers => ({
      covers,
    }));
    expect(withoutOtherGpus(amd, ['gpu-amdsmi-1', 'gpu-amdgpu-0']).map(source => source.covers)).toEqual([
      ['gpu-amdsmi-1'],
      ['gpu-amdgpu-0'],
      ['package-0'],
    ]);
  });

  it('reads them from the facts', () => {
    expect(sensorsOf({ sensors: 'gpu-0 gpu-3' })).toEqual(['gpu-0', 'gpu-3']);
    expect(sensorsOf({ sensors: 3 })).toEqual([]);
    expect(sensorsOf({})).toEqual([]);
  });
});

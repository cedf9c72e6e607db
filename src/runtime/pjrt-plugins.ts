/** Where PJRT plugins may be: in Python's packages, which bring them for JAX and PyTorch, and where machines have them installed. */
import path from 'node:path';
import { candidateLibraries, defaultRoots, type LibraryPlaces, type SearchRoots } from './vendor-libraries.ts';

type PluginPlaces = Pick<LibraryPlaces, 'sonames' | 'packages' | 'folders'>;

/** In the order of preference: what a machine was bought for comes before its GPU, which has better ways. */
const PLUGINS: readonly PluginPlaces[] = [
  // Google's TPUs.
  { sonames: ['libtpu.so'], packages: ['libtpu'], folders: ['usr/lib', 'lib'] },
  // AWS Neuron; the name is not confirmed.
  { sonames: ['libneuronpjrt.so'], packages: ['libneuronxla'] },
  // Tenstorrent.
  { sonames: ['pjrt_plugin_tt.so'], packages: ['pjrt_plugin_tt', 'jax_plugins/pjrt_plugin_tt'] },
  { sonames: ['xla_cuda_plugin.so'], packages: ['jax_plugins/xla_cuda13', 'jax_plugins/xla_cuda12'] },
  {
    sonames: ['xla_rocm_plugin.so'],
    packages: ['jax_plugins/xla_rocm10', 'jax_plugins/xla_rocm7', 'jax_plugins/xla_rocm60'],
  },
];

/** Plugins that are there, preferred first. AIBENCH_PJRT_PLUGIN names one file instead. */
export function pjrtPlugins(roots: SearchRoots = defaultRoots(process.env)): string[] {
  const found = PLUGINS.flatMap(places =>
    candidateLibraries({ variable: 'AIBENCH_PJRT_PLUGIN', homes: [], prefixes: [], ...places }, roots),
  );
  // Bare names are for the loader, which finds no plugin: they lie in no folder that it searches.
  const named = roots.environment.AIBENCH_PJRT_PLUGIN;
  return named ? [named] : [...new Set(found.filter(path.isAbsolute))];
}

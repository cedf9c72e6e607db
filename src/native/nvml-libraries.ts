/** Where NVML may be. AIBENCH_NVML names it, and then nothing else is looked at. */
const USUAL = [
  'libnvidia-ml.so.1',
  '/usr/local/nvidia/lib64/libnvidia-ml.so.1',
  '/usr/lib/wsl/lib/libnvidia-ml.so.1',
] as const;

export function nvmlLibraries(environment: NodeJS.ProcessEnv = process.env): string[] {
  const named = environment.AIBENCH_NVML;
  return named === undefined || named === '' ? [...USUAL] : [named];
}

/** Where AMD SMI may be. AIBENCH_AMDSMI names it, and then nothing else is looked at. */
const USUAL = ['libamd_smi.so', '/opt/rocm/lib/libamd_smi.so'] as const;

export function amdSmiLibraries(environment: NodeJS.ProcessEnv = process.env): string[] {
  const named = environment.AIBENCH_AMDSMI;
  return named === undefined || named === '' ? [...USUAL] : [named];
}

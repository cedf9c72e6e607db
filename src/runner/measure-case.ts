/** The walk of one launch: prepare, verify, measure, verify what was timed. */
import { placementOf } from '../analysis/placement.ts';
import { AibenchError, EXIT, messageOf } from '../errors.ts';
import type { NativeAddon } from '../native/types.ts';
import { findWorkload } from '../workloads/registry.ts';
import type { Prepared } from '../workloads/workload.ts';
import type { LaunchFailure, LaunchMessage, LaunchRequest } from './protocol.ts';

/** Runs `request` in this process. Rejects where a part fails; `toFailure` turns that into a record. */
export async function measureCase(
  request: LaunchRequest,
  native: NativeAddon,
  signal: AbortSignal,
  send: (message: LaunchMessage) => void,
): Promise<void> {
  const progress = (message: string): void => send({ type: 'progress', message });
  const workload = findWorkload(request.workload);
  if (workload === undefined)
    throw new AibenchError(
      'WORKLOAD_UNKNOWN',
      `There is no workload ${request.workload}.`,
      'See `aibench list workloads`.',
    );
  let prepared: Prepared | undefined;
  try {
    progress('preparing');
    prepared = await workload.prepare(request.params, request.backend, {
      native,
      machine: request.machine,
      seed: request.seed,
      timing: request.timing,
      cacheDir: request.cacheDir,
      signal,
      progress,
    });
    progress('verifying');
    const first = await prepared.verify();
    if (!first.passed) return send({ type: 'verified-wrong', verification: first, when: 'before' });
    progress('measuring');
    const cpuBefore = process.cpuUsage();
    const measurement = await prepared.measure();
    const cpu = process.cpuUsage(cpuBefore);
    progress('verifying what was timed');
    const verification = await prepared.verifyTimed();
    if (!verification.passed) return send({ type: 'verified-wrong', verification, when: 'after' });
    send({
      type: 'result',
      result: {
        ...measurement,
        pid: process.pid,
        verification,
        facts: prepared.facts,
        warnings: prepared.warnings,
        state: {
          cpuSeconds: (cpu.user + cpu.system) / 1e6,
          peakResidentBytes: process.resourceUsage().maxRSS * 1024,
          involuntaryContextSwitches: process.resourceUsage().involuntaryContextSwitches,
          ...placementOf(prepared.facts),
        },
      },
    });
  } finally {
    await prepared?.dispose();
  }
}

/** What a launch that threw leaves in the record. */
export function toFailure(error: unknown): LaunchFailure {
  if (error instanceof AibenchError)
    return {
      code: error.code,
      message: error.message,
      remedy: error.remedy,
      permanent: true,
      unavailable: error.exitCode === EXIT.unmeasured,
    };
  const { code, remedy } = error as { code?: unknown; remedy?: unknown };
  return {
    code: typeof code === 'string' ? code : 'LAUNCH_FAILED',
    message: messageOf(error),
    remedy:
      typeof remedy === 'string' && remedy !== ''
        ? remedy
        : 'Run the case alone with --filter; if it stays, please report it.',
    permanent: false,
    unavailable: false,
  };
}

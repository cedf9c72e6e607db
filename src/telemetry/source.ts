/**
 * The seam for telemetry: one file in sources/ per kind of sensor, one row in registry.ts. A source says what it found
 * (`probe`) and how the sampler thread is to read it (`channels`); what it cannot read it reports with a reason and a
 * remedy, it never throws and never returns 0 for a failed read.
 */
import type { EnergyVendor, NativeAddon, SamplerChannel } from '../native/types.ts';
import type { SourceDescription } from '../results/schema.ts';

/** Where to look. Tests point these at fixture trees and fake libraries. */
export interface TelemetryRoots {
  sys: string;
  proc: string;
  /** Tried in order for libnvidia-ml. */
  nvmlLibraries: string[];
  /** Tried in order for the libraries of energy-library.ts; none where absent. */
  energyLibraries?: Partial<Record<EnergyVendor, string[]>>;
}

export interface ProbedChannel {
  description: SourceDescription;
  /** How the native sampler reads it; null where the status is not `ok`. */
  channel: SamplerChannel | null;
}

export interface TelemetrySource {
  /** Also the first part of the ids of what it finds: `powercap`, `powercap/package-0`. */
  id: string;
  summary: string;
  /** How long `probe` may take, where a second is not enough. */
  limitSeconds?: number;
  /** Finds what is there. Resolves within a second; never rejects. */
  probe(roots: TelemetryRoots, native: NativeAddon): Promise<ProbedChannel[]>;
}

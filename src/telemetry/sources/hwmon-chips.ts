/**
 * What the power and energy readings of a hwmon chip contain. A driver knows its own wiring; the generic rule is the
 * narrowest claim, so that an unknown rail can never pass for a whole machine.
 */
import type { Scope } from '../../results/schema.ts';
import { slug } from '../channel.ts';

export interface RailScope {
  scope: Scope;
  covers: string[];
  /** Says what a reader must know to use the reading; absent where the driver's own documentation settles it. */
  note?: string;
}

/** `chip`: the driver's name; `instance`: which of several chips of that name; `label`: the rail's label, or `power1`. */
export type RailRule = (instance: number, label: string) => RailScope;

/** NVIDIA Grace (ACPI power meters that name their socket) and plain ACPI 4.0 power meters. */
function acpiPowerMeter(instance: number, label: string): RailScope {
  const named = /^(Module|Grace|CPU|SysIO) Power Socket (\d+)$/i.exec(label);
  if (!named?.[1] || !named[2]) return { scope: 'node', covers: [instance === 0 ? 'node' : `node-meter-${instance}`] };
  const socket = named[2];
  const cpu = [`package-${socket}`];
  const sysio = [`sysio-${socket}`];
  // Grace power is CPU, SoC fabric and memory; module power adds the GPU of a superchip.
  const grace = [`grace-${socket}`, ...cpu, ...sysio, `dram-${socket}`];
  switch (named[1].toLowerCase()) {
    case 'module':
      return { scope: 'module', covers: [`module-${socket}`, ...grace, `gpu-${socket}`] };
    case 'grace':
      return { scope: 'board', covers: grace };
    case 'cpu':
      return { scope: 'package', covers: cpu };
    default:
      return { scope: 'chip', covers: sysio };
  }
}

/** amdgpu: "average power used by the SoC" (Documentation/gpu/amdgpu): the GPU, or on an APU the CPU with it. */
function amdgpu(instance: number, label: string): RailScope {
  return {
    scope: 'chip',
    covers: [`gpu-amdgpu-${instance}`],
    note: `${label}: the chip alone; memory and voltage regulators of the card are not in it`,
  };
}

/** xe and discrete i915: `card` is the whole board, `pkg` the package on it. */
function intelGpu(driver: string): RailRule {
  return (instance, label) => {
    const gpu = `gpu-${driver}-${instance}`;
    if (/^(pkg|package)/i.test(label)) return { scope: 'chip', covers: [`${gpu}-package`] };
    return { scope: 'board', covers: [gpu, `${gpu}-package`] };
  };
}

/** Apple SMC (Asahi Linux): one chip, rails by label. */
function macsmc(instance: number, label: string): RailScope {
  if (/total system power/i.test(label)) return { scope: 'node', covers: ['node'] };
  if (/ac input power/i.test(label)) return { scope: 'wall', covers: ['wall', 'node'] };
  return { scope: 'chip', covers: [`macsmc-${instance}-${slug(label)}`] };
}

/** amd_energy: sockets contain cores. */
function amdEnergy(_instance: number, label: string): RailScope {
  const socket = /^Esocket(\d+)$/i.exec(label);
  if (socket?.[1]) return { scope: 'package', covers: [`package-${Number(socket[1])}`, `core-${Number(socket[1])}`] };
  return { scope: 'chip', covers: [slug(label)] };
}

/** A power supply that measures what it delivers. */
function powerSupply(instance: number, label: string): RailScope {
  if (/total/i.test(label))
    return { scope: 'node', covers: ['node'], note: 'direct current behind the supply: its loss is not in it' };
  return { scope: 'board', covers: [`psu-${instance}-${slug(label)}`] };
}

/**
 * INA3221 on Jetson modules (NVIDIA's developer guide, "Power Monitor"): VDD_IN is the whole module of Orin NX and Nano; on
 * AGX Orin there is no rail for the whole, and VIN_SYS_5V0 is a part.
 */
function ina3221(instance: number, label: string): RailScope {
  const note = 'volts times amperes, read one after the other';
  if (/^(VDD_IN|POM_5V_IN)$/i.test(label)) {
    return { scope: 'module', covers: ['module-0', 'package-0', 'gpu-0'], note: `${note}; the whole module` };
  }
  return { scope: 'chip', covers: [`ina3221-${instance}-${slug(label)}`], note: `${note}; one rail of the module` };
}

const RULES: Record<string, RailRule> = {
  power_meter: acpiPowerMeter,
  amdgpu,
  xe: intelGpu('xe'),
  i915: intelGpu('i915'),
  macsmc_hwmon: macsmc,
  amd_energy: amdEnergy,
  corsairpsu: powerSupply,
  ina3221,
};

export function railScope(chip: string, instance: number, label: string): RailScope {
  const rule = RULES[chip];
  if (rule) return rule(instance, label);
  return {
    scope: 'chip',
    covers: [`${slug(chip)}-${instance}-${slug(label)}`],
    note: 'what this rail feeds is not known to aibench: the narrowest scope is assumed',
  };
}

/**
 * Pure: which temperatures of a chip are worth a channel. Per-core sensors of a large CPU would be hundreds; the package
 * sensor bounds them. Returns the indices to sample.
 */
export function chooseTemperatures(chip: string, labels: ReadonlyMap<number, string>, atMost = 4): number[] {
  const indices = [...labels.keys()].sort((a, b) => a - b);
  const wanted: Record<string, RegExp> = { coretemp: /^Package/i, k10temp: /^T(ctl|die)$/i, zenpower: /^T(ctl|die)$/i };
  const pattern = wanted[chip];
  const preferred = pattern ? indices.filter(index => pattern.test(labels.get(index) ?? '')) : [];
  return (preferred.length > 0 ? preferred : indices).slice(0, atMost);
}

/**
 * Whether a machine, as it stands, can give numbers that mean something. Pure: rules over what was read. Nothing on the machine
 * is ever changed; each finding says what its owner can do. docs/methodology.md §3.
 */
import type { Host, Warning } from '../results/schema.ts';

export interface Finding extends Warning {
  /** `unfit`: numbers taken now would be of something else. `warning`: they are what the machine gives as it is set up. */
  severity: 'unfit' | 'warning';
}

export interface FitnessInput {
  host: Host;
  /** CPUs' worth of work done by others while nothing of aibench ran; null where it could not be seen. */
  foreignCores: number | null;
  swapUsedBytes: number;
  /** From the inventory: what the machine's id was made from. */
  identityBasis?: string;
}

export interface Fitness {
  verdict: 'fit' | 'unfit';
  findings: Finding[];
}

const STEAL_WARNING = 0.01;
const STEAL_UNFIT = 0.05;
/** Of the usable CPUs. */
const FOREIGN_WARNING = 0.05;
const FOREIGN_UNFIT = 0.25;
const LOAD_WARNING = 0.5;
const HOT_CELSIUS = 90;
const SWAP_BYTES = 64 * 2 ** 20;

const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;

/** Rules in the order in which they matter. */
const RULES: readonly ((input: FitnessInput) => Finding | null)[] = [
  steal,
  foreignLoad,
  load,
  quota,
  governor,
  temperature,
  swap,
  numaBalancing,
  overrides,
  sharedIdentity,
];

export function assessFitness(input: FitnessInput): Fitness {
  const findings = RULES.flatMap(rule => rule(input) ?? []);
  return { verdict: findings.some(finding => finding.severity === 'unfit') ? 'unfit' : 'fit', findings };
}

function steal({ host }: FitnessInput): Finding | null {
  const fraction = host.state.stealFraction;
  if (fraction === null || fraction <= STEAL_WARNING) return null;
  return {
    code: fraction > STEAL_UNFIT ? 'STEAL_HIGH' : 'STEAL',
    severity: fraction > STEAL_UNFIT ? 'unfit' : 'warning',
    message: `The hypervisor takes ${percent(fraction)} of the CPU time away (steal).`,
    remedy: 'Use a dedicated or bare-metal machine, or ask for fewer neighbours on the host.',
  };
}

function foreignLoad({ host, foreignCores }: FitnessInput): Finding | null {
  const cores = Math.max(1, host.cpu.logicalCores);
  if (foreignCores === null || foreignCores <= FOREIGN_WARNING * cores) return null;
  return {
    code: foreignCores > FOREIGN_UNFIT * cores ? 'FOREIGN_LOAD_HIGH' : 'FOREIGN_LOAD',
    severity: foreignCores > FOREIGN_UNFIT * cores ? 'unfit' : 'warning',
    message: `Other processes use ${foreignCores.toFixed(1)} of ${cores} CPUs while aibench waits.`,
    remedy: 'Stop them (top shows which), or wait until they are done.',
  };
}

function load({ host }: FitnessInput): Finding | null {
  const [oneMinute] = host.state.loadAverage;
  const cores = Math.max(1, host.cpu.logicalCores);
  if (oneMinute === undefined || oneMinute <= LOAD_WARNING * cores) return null;
  return {
    code: 'LOAD_BEFORE_START',
    severity: 'warning',
    message: `The load average of the last minute is ${oneMinute.toFixed(1)} on ${cores} CPUs: the machine was busy until now.`,
    remedy: 'Wait a few minutes: caches, clocks and temperature come to rest.',
  };
}

function quota({ host }: FitnessInput): Finding | null {
  const allowed = host.container?.cpuQuota ?? null;
  if (allowed === null || allowed >= host.cpu.usableCores) return null;
  return {
    code: 'CPU_QUOTA',
    severity: 'warning',
    message: `A quota allows ${allowed} CPUs' worth of time on ${host.cpu.usableCores} CPUs: with all threads the process is stopped in every period.`,
    remedy:
      'Give the container whole CPUs (--cpuset-cpus, or requests = limits with the static CPU manager), or run with fewer threads.',
  };
}

function governor({ host }: FitnessInput): Finding | null {
  const text = host.state.governor;
  if (text === null) return null;
  // With the hardware in charge of the clock "powersave" only names a preference.
  const isHardware = /\((intel_pstate|amd[-_]pstate[-_]epp)\)/.test(text);
  const isSlow = /powersave|conservative|ondemand|userspace/.test(text);
  if (!isSlow && !text.includes(', ')) return null;
  return {
    code: 'GOVERNOR',
    severity: 'warning',
    message: isHardware
      ? `The frequency governor is ${text}: the hardware may favour saving energy over speed.`
      : `The frequency governor is ${text}: the clock follows the load instead of staying up.`,
    remedy: 'As root: cpupower frequency-set -g performance (aibench itself changes no setting).',
  };
}

function temperature({ host }: FitnessInput): Finding | null {
  const celsius = host.state.temperatureCelsius;
  if (celsius === null || celsius < HOT_CELSIUS) return null;
  return {
    code: 'HOT_BEFORE_START',
    severity: 'unfit',
    message: `The hottest CPU sensor stands at ${celsius.toFixed(0)} °C before anything has run.`,
    remedy: 'Look at fans, filters and air flow; let the machine cool down.',
  };
}

function swap({ swapUsedBytes }: FitnessInput): Finding | null {
  if (swapUsedBytes <= SWAP_BYTES) return null;
  return {
    code: 'SWAP_IN_USE',
    severity: 'warning',
    message: `${(swapUsedBytes / 2 ** 20).toFixed(0)} MiB of memory are swapped out.`,
    remedy: 'Stop what fills the memory; as root: swapoff -a && swapon -a brings pages back.',
  };
}

function numaBalancing({ host }: FitnessInput): Finding | null {
  if (host.state.numaBalancing !== true || (host.cpu.numaNodes ?? 1) < 2) return null;
  return {
    code: 'NUMA_BALANCING',
    severity: 'warning',
    message: `The kernel moves pages between the ${host.cpu.numaNodes} NUMA nodes while a case runs (numa_balancing).`,
    remedy: 'As root, for the time of the run: sysctl kernel.numa_balancing=0.',
  };
}

/** Each of these has made a library take another code path than the one that the CPU would get. */
const OVERRIDES =
  /^(OPENBLAS_CORETYPE|OPENBLAS_L2_SIZE|BLIS_ARCH_TYPE|MKL_DEBUG_CPU_TYPE|MKL_ENABLE_INSTRUCTIONS|DNNL_MAX_CPU_ISA|ONEDNN_MAX_CPU_ISA|AIBENCH_ISA|LD_PRELOAD)$/;

function overrides({ host }: FitnessInput): Finding | null {
  const names = Object.keys(host.state.environment).filter(name => OVERRIDES.test(name));
  if (names.length === 0) return null;
  return {
    code: 'ENVIRONMENT_OVERRIDE',
    severity: 'warning',
    message: `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} set and can make a library choose slower code.`,
    remedy: `Unset what is not meant: unset ${names.join(' ')}.`,
  };
}

function sharedIdentity({ identityBasis }: FitnessInput): Finding | null {
  if (identityBasis !== 'image' && identityBasis !== 'random') return null;
  const isImage = identityBasis === 'image';
  return {
    code: 'HOST_ID_WEAK',
    severity: 'warning',
    message: isImage
      ? 'The machine id comes from the container image: other machines that run this image get the same one.'
      : 'The machine has no id of its own: the one used here lasts as long as the cache folder.',
    remedy: 'Give the machine a label, or mount its /etc/machine-id into the container read-only.',
  };
}

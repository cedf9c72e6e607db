/**
 * What systeminformation finds out with the help of lsblk, lspci, dmidecode and the like. Those can be slow or hang, some
 * block the event loop: they run in a child process, each call for a limited time, once and before anything is measured.
 *
 * The answers hold serial numbers and addresses. Only fields named here pass, so that a new field cannot slip through.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

/** Values as a document holds them. */
export type Facts = Record<string, string | number | boolean | null>;

export interface SlowFacts {
  memoryModules: Facts[];
  storage: Facts[];
  /** PCI address in lower case (`0000:3b:00.0` or `3b:00.0`) to the model's name. */
  graphics: Map<string, string>;
  /** Name of the hypervisor, empty on bare metal. */
  hypervisor: string;
  /** Calls that did not answer, with why. */
  unanswered: string[];
}

export const CALLS = ['memLayout', 'diskLayout', 'graphics', 'system'] as const;
export type Call = (typeof CALLS)[number];

const CALL_LIMIT_SECONDS = 4;

/** Given to `node -e`, so that it needs no file of its own next to the built program. One JSON line per call. */
const CHILD = `
const si = require(process.argv[1]);
(async () => {
  for (const name of process.argv.slice(2)) {
    let value = null;
    try { value = await si[name](); } catch {}
    process.stdout.write(JSON.stringify({ name, value }) + '\\n');
  }
  process.exit(0);
})();
`;

export interface SlowFactsOptions {
  limitSeconds?: number;
  /** Path of the module to ask; for tests. */
  modulePath?: string;
}

/** Never rejects: what does not answer in time is missing, and named in `unanswered`. */
export async function readSlowFacts(options: SlowFactsOptions = {}): Promise<SlowFacts> {
  const limitSeconds = options.limitSeconds ?? CALL_LIMIT_SECONDS;
  const answers = new Map<string, unknown>();
  const unanswered: string[] = [];
  let left: Call[] = [...CALLS];
  const modulePath = options.modulePath ?? locate();
  if (modulePath === null) return pickFacts(answers, ['systeminformation is not installed']);
  while (left.length > 0) {
    const ended = await askChild(modulePath, left, limitSeconds, answers);
    left = left.filter(name => !answers.has(name));
    const [stuck] = left;
    if (stuck === undefined) break;
    // The child ended or was ended in this call: go on with the next one in a new child.
    unanswered.push(`${stuck}: ${ended}`);
    left = left.slice(1);
  }
  return pickFacts(answers, unanswered);
}

function locate(): string | null {
  try {
    return createRequire(import.meta.url).resolve('systeminformation');
  } catch {
    return null;
  }
}

/** Resolves when the child has ended, with why. Its answers are put into `answers` as they come. */
function askChild(
  modulePath: string,
  calls: readonly Call[],
  limitSeconds: number,
  answers: Map<string, unknown>,
): Promise<string> {
  return new Promise(resolve => {
    // A process group of its own, so that what it has started ends with it.
    const child = spawn(process.execPath, ['-e', CHILD, modulePath, ...calls], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    let why = 'its process ended';
    const end = (reason: string): void => {
      why = reason;
      if (child.pid !== undefined) killGroup(child.pid);
    };
    const limit = (): NodeJS.Timeout => setTimeout(() => end(`no answer within ${limitSeconds} s`), limitSeconds * 1e3);
    let timer = limit();
    const lines = createInterface({ input: child.stdout });
    lines.on('line', line => {
      clearTimeout(timer);
      timer = limit();
      const answer = parseAnswer(line);
      if (answer) answers.set(answer.name, answer.value);
    });
    child.on('error', error => end(error.message));
    child.on('close', () => {
      clearTimeout(timer);
      resolve(why);
    });
  });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function parseAnswer(line: string): { name: string; value: unknown } | null {
  try {
    const parsed: unknown = JSON.parse(line);
    return isRecord(parsed) && typeof parsed.name === 'string' ? { name: parsed.name, value: parsed.value } : null;
  } catch {
    return null;
  }
}

/** Pure: the fields that pass. */
export function pickFacts(answers: ReadonlyMap<string, unknown>, unanswered: string[]): SlowFacts {
  const memory = records(answers.get('memLayout')).filter(module => Number(module.size) > 0 && module.type !== '');
  const graphicsAnswer = answers.get('graphics');
  const controllers = isRecord(graphicsAnswer) ? records(graphicsAnswer.controllers) : [];
  const system = answers.get('system');
  const graphics = new Map<string, string>();
  for (const controller of controllers) {
    const address = String(controller.busAddress ?? '').toLowerCase();
    const name = [controller.vendor, controller.model].filter(Boolean).join(' ');
    if (address && name) graphics.set(address, name);
  }
  return {
    memoryModules: memory.map(module =>
      facts({
        sizeBytes: module.size,
        type: module.type,
        transfersPerSecond: Number(module.clockSpeed) > 0 ? Number(module.clockSpeed) * 1e6 : null,
        formFactor: module.formFactor,
        errorCorrection: module.ecc,
        manufacturer: module.manufacturer,
      }),
    ),
    storage: records(answers.get('diskLayout')).map(disk =>
      facts({
        model: disk.name,
        vendor: disk.vendor,
        type: disk.type,
        interface: disk.interfaceType,
        sizeBytes: disk.size,
      }),
    ),
    graphics,
    hypervisor: isRecord(system) && typeof system.virtualHost === 'string' ? system.virtualHost : '',
    unanswered,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** Plain values only; what is empty or unknown is left out. */
function facts(fields: Record<string, unknown>): Facts {
  const out: Facts = {};
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string' && value.trim() !== '' && value !== '-') out[name] = value.trim();
    if ((typeof value === 'number' && Number.isFinite(value)) || typeof value === 'boolean') out[name] = value;
  }
  return out;
}

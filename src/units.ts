/** Numbers for people. Everything inside is SI base units; scaling happens only here. */

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
const SMALL_PREFIXES = ['', 'm', 'µ', 'n', 'p'];

/** Three or four significant digits: 3.142, 31.42, 314.2, 3142. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const magnitude = Math.abs(value);
  if (magnitude === 0) return '0';
  if (magnitude >= 1000) return value.toFixed(0);
  if (magnitude >= 100) return value.toFixed(1);
  if (magnitude >= 10) return value.toFixed(2);
  return value.toPrecision(4);
}

/** `formatQuantity(2.1e11, 'FLOP/s')` is `210.0 GFLOP/s`; seconds go down (`12.34 µs`), all else goes up. */
export function formatQuantity(value: number, unit: string): string {
  const { scaled, prefix } = scale(value, unit);
  return `${significant(scaled)} ${prefix}${unit}`;
}

/** Both ends on one scale: `formatRange(8.2e10, 1.36e11, 'FLOP/s')` is `82.00 – 136.0 GFLOP/s`. */
export function formatRange(low: number, high: number, unit: string): string {
  const { scaled, prefix } = scale(high, unit);
  return `${significant(high === 0 ? low : (low * scaled) / high)} – ${significant(scaled)} ${prefix}${unit}`;
}

function scale(value: number, unit: string): { scaled: number; prefix: string } {
  const magnitude = Math.abs(value);
  if (unit === 's' || magnitude < 1) {
    if (unit === 's' && magnitude >= 1) return { scaled: value, prefix: '' };
    let scaled = value;
    let index = 0;
    while (Math.abs(scaled) < 1 && scaled !== 0 && index < SMALL_PREFIXES.length - 1) {
      scaled *= 1000;
      index += 1;
    }
    return { scaled, prefix: SMALL_PREFIXES[index] ?? '' };
  }
  let scaled = value;
  let index = 0;
  while (Math.abs(scaled) >= 1000 && index < PREFIXES.length - 1) {
    scaled /= 1000;
    index += 1;
  }
  return { scaled, prefix: PREFIXES[index] ?? '' };
}

/** Bytes in binary units: `64 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let index = 0;
  while (value >= 1024 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  const digits = Number.isInteger(value) || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[index]}`;
}

/** `95 s`, `2 min 5 s`, `1 h 3 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 120) return `${whole} s`;
  if (whole < 7200) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
}

const BYTE_UNITS: Record<string, number> = {
  '': 1,
  B: 1,
  K: 1024,
  KB: 1024,
  KIB: 1024,
  M: 1024 ** 2,
  MB: 1024 ** 2,
  MIB: 1024 ** 2,
  G: 1024 ** 3,
  GB: 1024 ** 3,
  GIB: 1024 ** 3,
};

/** `64MiB`, `64M`, `8`, 8 → bytes (binary multiples, as nccl-tests and STREAM mean them); null when it is none of these. */
export function parseBytes(text: string | number): number | null {
  if (typeof text === 'number') return Number.isSafeInteger(text) && text >= 0 ? text : null;
  const match = /^(\d+(?:\.\d+)?)\s*([a-zA-Z]*)$/.exec(text.trim());
  if (match === null) return null;
  const factor = BYTE_UNITS[(match[2] ?? '').toUpperCase()];
  if (factor === undefined) return null;
  const bytes = Number(match[1]) * factor;
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/**
 * Power, energy and temperature of hardware monitoring chips (Documentation/hwmon/sysfs-interface): microwatts, microjoules and
 * millidegrees in one file each. Chips are matched by `name`; their numbers change from boot to boot.
 */
import path from 'node:path';
import { linkName, listNames, numberOrNull, parseNumber, readText, textOrNull } from '../../host/kernel-files.ts';
import { nothingFound, type Quantity, readable, slug, statusOfErrno, unreadable } from '../channel.ts';
import type { ProbedChannel, TelemetryRoots, TelemetrySource } from '../source.ts';
import { chooseTemperatures, railScope } from './hwmon-chips.ts';

const ID = 'hwmon';
const MICRO = 1e-6;
const MILLI = 1e-3;

export interface HwmonAttributes {
  /** Rail number to the file that holds its power; the average where the chip gives both. */
  power: Map<number, 'average' | 'input'>;
  energy: number[];
  temperature: number[];
  /** Rails with a voltage and a current, and no power of their own. */
  voltageAndCurrent: number[];
}

/** Pure: what a chip's folder offers. */
export function parseAttributes(names: readonly string[]): HwmonAttributes {
  const out: HwmonAttributes = { power: new Map(), energy: [], temperature: [], voltageAndCurrent: [] };
  for (const name of names) {
    const power = /^power(\d+)_(average|input)$/.exec(name);
    // An average is without aliasing, an instant value without lag; with one file read at 20 Hz the first matters more.
    if (power?.[1] && (power[2] === 'average' || !out.power.has(Number(power[1])))) {
      out.power.set(Number(power[1]), power[2] === 'average' ? 'average' : 'input');
    }
    const energy = /^energy(\d+)_input$/.exec(name);
    if (energy) out.energy.push(Number(energy[1]));
    const temperature = /^temp(\d+)_input$/.exec(name);
    if (temperature) out.temperature.push(Number(temperature[1]));
  }
  for (const name of names) {
    const current = /^curr(\d+)_input$/.exec(name);
    if (current && names.includes(`in${current[1]}_input`)) out.voltageAndCurrent.push(Number(current[1]));
  }
  return out;
}

export const hwmon: TelemetrySource = {
  id: ID,
  summary: 'power, energy and temperature of monitoring chips (/sys/class/hwmon)',
  async probe(roots: TelemetryRoots): Promise<ProbedChannel[]> {
    const folder = path.join(roots.sys, 'class/hwmon');
    const chips = await listNames(folder);
    const seen = new Map<string, number>();
    const out: ProbedChannel[] = [];
    for (const chipFolder of chips) {
      const chip = await textOrNull(path.join(folder, chipFolder, 'name'));
      if (chip === null) continue;
      const instance = seen.get(chip) ?? 0;
      seen.set(chip, instance + 1);
      out.push(...(await probeChip(path.join(folder, chipFolder), chip, instance)));
    }
    if (out.length > 0) return out;
    return nothingFound(
      ID,
      { kind: 'gauge', scope: 'board', quantity: 'power', unit: 'W' },
      chips.length === 0
        ? 'there is no chip under /sys/class/hwmon'
        : `none of ${chips.length} chips measures power, energy or temperature`,
      'on bare metal: sensors-detect (package lm-sensors) names the driver to load; a virtual machine has none',
    );
  },
};

async function probeChip(folder: string, chip: string, instance: number): Promise<ProbedChannel[]> {
  const attributes = parseAttributes(await listNames(folder));
  const base = `${ID}/${slug(chip)}${instance === 0 ? '' : `.${instance}`}`;
  if (isBattery(chip)) return attributes.power.size > 0 ? [batteryRow(base)] : [];
  const out: ProbedChannel[] = [];
  for (const [index, form] of attributes.power) {
    const label = await labelOf(folder, `power${index}`);
    const interval =
      form === 'average' ? await numberOrNull(path.join(folder, `power${index}_average_interval`)) : null;
    const { note, ...rail } = railScope(chip, instance, label);
    const what: Quantity = {
      id: `${base}/${slug(label)}`,
      kind: 'gauge',
      ...rail,
      quantity: 'power',
      unit: 'W',
      quantum: MICRO,
      ...(interval === null ? {} : { averagingWindowSeconds: interval * MILLI }),
      ...(await capOf(folder, chip, index)),
    };
    out.push(await probeFile(what, path.join(folder, `power${index}_${form}`), MICRO, 'gauge', note));
  }
  for (const index of attributes.energy) {
    const label = await labelOf(folder, `energy${index}`);
    const { note, ...rail } = railScope(chip, instance, label);
    const what: Quantity = {
      id: `${base}/${slug(label)}-energy`,
      kind: 'counter',
      ...rail,
      quantity: 'energy',
      unit: 'J',
      ...(await capOf(folder, chip, index)),
    };
    out.push(await probeFile(what, path.join(folder, `energy${index}_input`), MICRO, 'counter', note));
  }
  if (out.length === 0 && MULTIPLIED_CHIPS.includes(chip)) {
    for (const index of attributes.voltageAndCurrent) {
      const row = await probeRail(folder, chip, instance, base, index);
      if (row) out.push(row);
    }
  }
  out.push(...(await probeTemperatures(folder, chip, base, attributes.temperature)));
  return out;
}

/** amdgpu and ACPI meters call the limit in force `cap`, xe and i915 `max`. 0 and what cannot be read: none is known. */
async function capOf(folder: string, chip: string, index: number): Promise<{ capWatts?: number }> {
  // Elsewhere `max` is a threshold for an alarm.
  const name = chip === 'xe' || chip === 'i915' ? `power${index}_max` : `power${index}_cap`;
  const microwatts = await numberOrNull(path.join(folder, name));
  return microwatts !== null && microwatts > 0 ? { capWatts: microwatts * MICRO } : {};
}

/** Power supplies that the kernel mirrors into hwmon under their own name (BAT0, ucsi_source_psy_...). */
function isBattery(chip: string): boolean {
  return /^(BAT\w*|CMB\d|AC\w*|ADP\d|ucsi_source_psy\w*|macsmc[-_]battery|hidpp_battery\w*)$/.test(chip);
}

function batteryRow(base: string): ProbedChannel {
  return unreadable(
    { id: `${base}/power`, kind: 'gauge', scope: 'chip', covers: [], quantity: 'power', unit: 'W' },
    'unsupported',
    'power into or out of a battery: on mains it is what charges it, not what the machine draws',
    'nothing to do',
  );
}

async function probeTemperatures(
  folder: string,
  chip: string,
  base: string,
  indices: number[],
): Promise<ProbedChannel[]> {
  const labels = new Map<number, string>();
  for (const index of indices) labels.set(index, await labelOf(folder, `temp${index}`));
  const chosen = chooseTemperatures(chip, labels);
  const left = indices.length - chosen.length;
  const out: ProbedChannel[] = [];
  for (const index of chosen) {
    const what: Quantity = {
      id: `${base}/${slug(labels.get(index) ?? `temp${index}`)}`,
      kind: 'gauge',
      scope: 'chip',
      covers: [],
      quantity: 'temperature',
      unit: 'degC',
      quantum: MILLI,
    };
    const note = left > 0 ? `${left} more temperatures of this chip are not sampled` : undefined;
    out.push(await probeFile(what, path.join(folder, `temp${index}_input`), MILLI, 'temperature', note));
  }
  return out;
}

async function probeFile(
  what: Quantity,
  file: string,
  scale: number,
  rate: 'counter' | 'gauge' | 'temperature',
  note: string | undefined,
): Promise<ProbedChannel> {
  const read = await readText(file);
  if (read.ok && parseNumber(read.text) !== null)
    return readable(what, { type: 'file', path: file }, scale, rate, note);
  if (read.ok)
    return unreadable(what, 'implausible', 'the file holds no number', 'report the driver and the file as a bug');
  const status = statusOfErrno(read.errno);
  if (status === 'denied') {
    return unreadable(what, status, `present but unreadable (${read.errno})`, `as root: chmod a+r ${shown(file)}`);
  }
  const reason = `the driver gives no value (${read.errno}); a device that sleeps answers so`;
  return unreadable(what, status, reason, 'wake the device, or set its power/control to on, and start again');
}

/** The path as a user knows it, whatever root the probe was given. */
function shown(file: string): string {
  return `/sys/${file.slice(file.lastIndexOf('class/hwmon'))}`;
}

/**
 * Chips whose driver gives volts and amperes of a rail and leaves the product to the reader. On others the pairs are fan
 * controllers and battery chargers whose numbers belong to different wires.
 */
const MULTIPLIED_CHIPS = ['ina3221'];

/** Millivolts times milliamperes, from two files read microseconds apart. Null for an input that nothing is connected to. */
async function probeRail(
  folder: string,
  chip: string,
  instance: number,
  base: string,
  index: number,
): Promise<ProbedChannel | null> {
  const label = await labelOf(folder, `in${index}`);
  if (/^(NC|in\d+)$/i.test(label)) return null;
  const [path1, path2] = [path.join(folder, `in${index}_input`), path.join(folder, `curr${index}_input`)];
  const { note, ...rail } = railScope(chip, instance, label);
  const what: Quantity = { id: `${base}/${slug(label)}`, kind: 'gauge', ...rail, quantity: 'power', unit: 'W' };
  const row = await probeFile(what, path2, MICRO, 'gauge', note);
  const volts = await readText(path1);
  if (row.channel === null || !volts.ok)
    return row.channel === null ? row : probeFile(what, path1, MICRO, 'gauge', note);
  return { ...row, channel: { ...row.channel, read: { type: 'product', path: path1, otherPath: path2 } } };
}

/** `power1_label`, for ACPI meters the OEM text, or the bare attribute name. */
async function labelOf(folder: string, attribute: string): Promise<string> {
  const label = await textOrNull(path.join(folder, `${attribute}_label`));
  if (label) return label;
  const oem =
    (await textOrNull(path.join(folder, `${attribute}_oem_info`))) ?? (await oemInfoOfDevice(folder, attribute));
  return oem || attribute;
}

async function oemInfoOfDevice(folder: string, attribute: string): Promise<string | null> {
  if ((await linkName(path.join(folder, 'device'))) === null) return null;
  return textOrNull(path.join(folder, 'device', `${attribute}_oem_info`));
}

/**
 * Reading of /sys and /proc: small files that can be missing, forbidden or slow. A read that fails is a value with the
 * errno in it, never an exception and never an empty string that could be taken for a zero.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';

export type FileText = { ok: true; text: string } | { ok: false; errno: string };

/** The errno name of whatever was thrown, or `UNKNOWN`. */
export function errnoOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'UNKNOWN';
}

/** The trimmed text of a file. */
export async function readText(file: string): Promise<FileText> {
  try {
    return { ok: true, text: (await readFile(file, 'utf8')).trim() };
  } catch (error) {
    return { ok: false, errno: errnoOf(error) };
  }
}

/** The trimmed text of a file, or null where it cannot be read. */
export async function textOrNull(file: string): Promise<string | null> {
  const read = await readText(file);
  return read.ok ? read.text : null;
}

/** A file that holds one decimal number; null where it cannot be read or holds something else. */
export async function numberOrNull(file: string): Promise<number | null> {
  const text = await textOrNull(file);
  return text === null ? null : parseNumber(text);
}

/** Pure: one decimal number and nothing else, or null. */
export function parseNumber(text: string): number | null {
  return /^[+-]?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : null;
}

/** Names in a folder in natural order (`hwmon2` before `hwmon10`); empty where there is no such folder. */
export async function listNames(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  } catch {
    return [];
  }
}

/** Last part of what a link points at (`device/driver` gives the driver's name), or null. */
export async function linkName(link: string): Promise<string | null> {
  try {
    return path.basename(await readlink(link));
  } catch {
    return null;
  }
}

/** Pure: a kernel list such as `0-3,8,10-11`; null where it is malformed. */
export function parseCpuList(text: string): number[] | null {
  const out: number[] = [];
  for (const part of text.trim().split(',')) {
    if (part === '') continue;
    const range = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (!range) return null;
    const first = Number(range[1]);
    const last = range[2] === undefined ? first : Number(range[2]);
    if (last < first || last - first > 1 << 16) return null;
    for (let cpu = first; cpu <= last; cpu++) out.push(cpu);
  }
  return out;
}

/** Pure: `key value` or `key: value kB` lines. Sizes in kB become bytes. */
export function parseKeyed(text: string): Map<string, number> {
  const out = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^([^\s:]+):?\s+(\d+)(\s+kB)?\s*$/.exec(line);
    if (match?.[1] && match[2]) out.set(match[1], Number(match[2]) * (match[3] ? 1024 : 1));
  }
  return out;
}

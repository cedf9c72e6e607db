/**
 * A name for the machine that stays the same and says nothing about it: a keyed hash, as machine-id(5) asks of programs that
 * publish one. The ids themselves never leave this file.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { linkName, listNames, textOrNull } from './kernel-files.ts';
import type { HostRoots } from './roots.ts';

/** Fixed for good: a change would make every machine a new one. */
const APPLICATION_KEY = 'aibench.host-id.1';

export interface Identity {
  id: string;
  /** What it was made from. `image`: the id of a container image, which other machines may carry too. */
  basis: 'platform' | 'machine-id' | 'image' | 'network' | 'random';
}

/**
 * Tried in order: the platform's UUID (root alone may read it) inside a container, /etc/machine-id, the platform's UUID, the
 * addresses of the physical network cards, a random number kept in `cacheDir`. Never rejects.
 */
export async function hostIdentity(roots: HostRoots, cacheDir: string, inContainer: boolean): Promise<Identity> {
  const platform = usable(await textOrNull(path.join(roots.sys, 'class/dmi/id/product_uuid')));
  const machine = usable(await textOrNull(path.join(roots.etc, 'machine-id')));
  // An image brings its machine-id along, so that in a container it names the image; the platform's UUID names the machine.
  if (inContainer && platform) return { id: hashed('platform', platform), basis: 'platform' };
  if (machine) return { id: hashed('machine', machine), basis: inContainer ? 'image' : 'machine-id' };
  if (platform) return { id: hashed('platform', platform), basis: 'platform' };
  const addresses = await physicalAddresses(roots);
  if (addresses.length > 0 && !inContainer) return { id: hashed('network', addresses.join(' ')), basis: 'network' };
  return { id: hashed('random', await keptRandom(cacheDir)), basis: 'random' };
}

/** Pure: 32 hexadecimal digits that cannot be turned back. */
export function hashed(kind: string, secret: string): string {
  return createHmac('sha256', APPLICATION_KEY).update(`${kind}:${secret.toLowerCase()}`).digest('hex').slice(0, 32);
}

/** Ids that makers and installers leave unset are no ids. */
function usable(text: string | null): string | null {
  const digits = text?.replace(/-/g, '').toLowerCase() ?? '';
  if (!/^[0-9a-f]{32}$/.test(digits) || /^(.)\1*$/.test(digits)) return null;
  // "03000200-0400-0500-0006-000700080009": the sample value of AMI firmware, on boards of many makers.
  return digits === '03000200040005000006000700080009' ? null : digits;
}

async function physicalAddresses(roots: HostRoots): Promise<string[]> {
  const folder = path.join(roots.sys, 'class/net');
  const out: string[] = [];
  for (const name of await listNames(folder)) {
    const isPhysical = (await linkName(path.join(folder, name, 'device'))) !== null;
    const address = isPhysical ? await textOrNull(path.join(folder, name, 'address')) : null;
    if (address && !/^(00:)+00$/.test(address)) out.push(address);
  }
  return out.sort();
}

/** Without a folder to write to, the machine has a new name in each run, and nothing better is to be had. */
async function keptRandom(cacheDir: string): Promise<string> {
  const file = path.join(cacheDir, 'host-id');
  try {
    const kept = (await readFile(file, 'utf8')).trim();
    if (/^[0-9a-f-]{36}$/.test(kept)) return kept;
  } catch {
    // Not kept yet.
  }
  const fresh = randomUUID();
  try {
    await mkdir(cacheDir, { recursive: true });
    await writeFile(file, `${fresh}\n`, { flag: 'wx', mode: 0o600 });
    return fresh;
  } catch {
    // Either another run was first, whose number is then the machine's, or the folder cannot be written.
    return readFile(file, 'utf8').then(
      text => text.trim() || fresh,
      () => fresh,
    );
  }
}

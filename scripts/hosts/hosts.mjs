// Several hosts on one machine: network namespaces with a wire of known speed between them, and mpirun across them.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const NETWORK = '10.78.0.0/24';

/** Why hosts cannot be made here, or null. */
export function whyNoHosts() {
  if (process.getuid?.() !== 0) return 'needs root for network namespaces';
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
  } catch {
    return 'needs /dev/net/tun';
  }
  for (const command of ['ip', 'unshare', 'c++', 'mpirun.openmpi']) {
    if (spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0) return `needs ${command}`;
  }
  const probe = `aibp${process.pid % 1000}`;
  if (spawnSync('ip', ['netns', 'add', probe]).status !== 0) return 'this container may not make network namespaces';
  spawnSync('ip', ['netns', 'del', probe]);
  return null;
}

/**
 * Starts `count` hosts PREFIX0 ... with full-duplex links of `megabits` and a one-way delay of `delayMicroseconds`.
 * `mpirun(ranks, args, options)` runs node on the first `ranks` hosts, one rank each, over TCP, and resolves to its output.
 */
export async function startHosts({ count, megabits, delayMicroseconds, mtu = 1500 }) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-hosts-'));
  const prefix = `aib${process.pid % 1000}h`;
  const wire = path.join(folder, 'wire');
  execFileSync(process.env.CXX ?? 'c++', ['-std=c++20', '-O2', path.join(here, 'wire.cc'), '-o', wire]);
  const child = spawn(wire, [prefix, count, megabits, delayMicroseconds, mtu].map(String), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  spawnSync('chrt', ['-f', '-p', '50', String(child.pid)]); // where allowed: frames on time matter more than ranks
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  if (value !== 'ready') throw new Error('the wire between the hosts did not start');
  const agent = path.join(folder, 'rsh');
  // mpirun calls it as ssh: options, host, command.
  writeFileSync(
    agent,
    `#!/bin/bash
while [[ "$1" == -* ]]; do shift; done
host=${prefix}$(( \${1##*.} - 1 )); shift
exec ip netns exec $host unshare --uts sh -c "hostname $host; $*"
`,
  );
  chmodSync(agent, 0o755);
  return {
    names: Array.from({ length: count }, (_, index) => `${prefix}${index}`),
    mpirun: (ranks, args, { settings = [], environment = {}, timeoutSeconds = 110 } = {}) =>
      runAcross({ prefix, agent, ranks, args, settings, environment, timeoutSeconds }),
    stop: async () => {
      child.kill('SIGTERM');
      await new Promise(resolve => child.on('close', resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function runAcross({ prefix, agent, ranks, args, settings, environment, timeoutSeconds }) {
  const mca = {
    plm_rsh_agent: agent,
    plm_rsh_no_tree_spawn: '1',
    oob_tcp_if_include: NETWORK,
    btl: 'tcp,self',
    pml: 'ob1',
    btl_tcp_if_include: NETWORK,
    mpi_yield_when_idle: '1',
    // Large messages without a rendezvous, whose answers would queue behind the data.
    btl_tcp_eager_limit: '4300000',
    btl_tcp_rndv_eager_limit: '4300000',
    btl_tcp_max_send_size: '4300000',
    ...Object.fromEntries(settings),
  };
  const hosts = Array.from({ length: ranks }, (_, index) => `10.78.0.${index + 1}`).join(',');
  const command = [
    'exec mpirun.openmpi --bind-to none --map-by node',
    ...Object.entries(mca).map(([key, value]) => `--mca ${key} ${value}`),
    ...Object.keys(environment).map(name => `-x ${name}`),
    `-H ${hosts} -n ${ranks} ${process.execPath}`,
    ...args.map(arg => `'${arg}'`),
  ].join(' ');
  const first = `${prefix}0`;
  return new Promise(resolve => {
    const child = spawn(
      'ip',
      ['netns', 'exec', first, 'unshare', '--uts', 'sh', '-c', `hostname ${first}; ${command}`],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1', ...environment },
        timeout: timeoutSeconds * 1000,
      },
    );
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', chunk => {
      stdout += chunk;
    });
    child.stderr.on('data', chunk => {
      stderr += chunk;
    });
    child.on('close', status => resolve({ status, stdout, stderr }));
  });
}

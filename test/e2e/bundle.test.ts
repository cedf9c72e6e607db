/**
 * The bundle for offline hosts, unpacked in an empty root: nothing is there but a C library, libstdc++, a shell and readlink, and no network
 * interface. Packed fast here; its real size is checked where it is made.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resultSchema } from '../../src/results/schema.ts';
import { root, temporaryFolder } from '../support/cli.ts';

/** glibc and libstdc++, as a bare host has them. */
const HOST_LIBRARIES = [
  'libc.so.6',
  'libm.so.6',
  'libdl.so.2',
  'libpthread.so.0',
  'librt.so.1',
  'libstdc++.so.6',
  'libgcc_s.so.1',
];
const HOST_PROGRAMS = ['sh', 'readlink'];
const LOADER = '/lib64/ld-linux-x86-64.so.2';

const asRoot = process.getuid?.() === 0;
const namespaces = [...(asRoot ? [] : ['--user', '--map-root-user']), '--mount', '--net', '--pid', '--fork'];
const reason = (() => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return ' (skipped: the bundle is for Linux on x86-64)';
  if (!existsSync(LOADER)) return ' (skipped: this C library is not glibc)';
  if (!existsSync(path.join(root, 'node_modules', 'onnxruntime-node')))
    return ' (skipped: onnxruntime-node is not installed)';
  if (spawnSync('unshare', [...namespaces, 'true']).status !== 0)
    return ' (skipped: this user may not make namespaces)';
  return '';
})();

describe.skipIf(reason !== '')(`the offline bundle${reason}`, () => {
  const folder = temporaryFolder();
  const host = path.join(folder, 'host');
  let bundle = '';
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs a shell command in the empty root; only /proc, /sys and /dev are those of this machine. */
  function inEmptyRoot(command: string) {
    const mounts = ['mount --rbind /sys sys', 'mount -t proc proc proc', 'mount --rbind /dev dev'].join(' && ');
    return spawnSync(
      'unshare',
      [
        ...namespaces,
        'sh',
        '-c',
        `cd "$0" && ${mounts} && PATH=$PATH:/usr/sbin:/sbin && exec "$(command -v env)" -i HOME=/root PATH=/bin "$(command -v chroot)" . /bin/sh -c "$1"`,
        host,
        command,
      ],
      { encoding: 'utf8', timeout: 120_000 },
    );
  }

  function copyHostFile(file: string, target: string): void {
    mkdirSync(path.join(host, path.dirname(target)), { recursive: true });
    cpSync(realpathSync(file), path.join(host, target));
  }

  /** Files that the loader opens for a program: `libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x…)`. */
  function librariesOf(program: string): string[] {
    const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' });
    return [...stdout.matchAll(/=> (\/\S+)/g)].map(([, file]) => file ?? '');
  }

  beforeAll(() => {
    const made = spawnSync(
      process.execPath,
      [path.join(root, 'scripts', 'bundle.mjs'), '--out', folder, '--gzip', '--compression', '1'],
      { encoding: 'utf8' },
    );
    expect(made.status, made.stderr).toBe(0);
    const archive = made.stdout.split('\n')[0] ?? '';
    for (const name of ['proc', 'sys', 'dev', 'root', 'opt', 'usr/local/bin'])
      mkdirSync(path.join(host, name), { recursive: true });
    copyHostFile(LOADER, LOADER);
    const node = librariesOf(process.execPath);
    const places = [...new Set(node.map(file => path.dirname(file)))];
    for (const file of places.flatMap(place => HOST_LIBRARIES.map(name => path.join(place, name))))
      if (existsSync(file)) copyHostFile(file, file);
    for (const name of HOST_PROGRAMS) {
      const program = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
      copyHostFile(program, `/bin/${name}`);
      for (const file of librariesOf(program)) copyHostFile(file, file);
    }
    execFileSync('tar', ['xf', archive, '-C', path.join(host, 'opt')]);
    bundle = readdirSync(path.join(host, 'opt'))[0] ?? '';
    symlinkSync(`../../../opt/${bundle}/aibench`, path.join(host, 'usr/local/bin/aibench'));
  }, 180_000);

  it('holds Node, the addon and ONNX Runtime for the CPU, each with its licence, and says what it needs', () => {
    const at = (...parts: string[]) => path.join(host, 'opt', bundle, ...parts);
    const about = JSON.parse(readFileSync(at('bundle.json'), 'utf8')) as {
      glibc: string;
      node: string;
      packages: { name: string }[];
    };
    expect(about.glibc).toMatch(/^2\.\d+$/);
    expect(about.node).toBe(process.version);
    expect(about.packages.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['onnxruntime-node', 'systeminformation']),
    );
    expect(readdirSync(at('licenses')).sort()).toEqual(['Apache-2.0.txt', 'README.txt', 'node.txt', 'onnxruntime.txt']);
    const binaries = readdirSync(at('app', 'node_modules', 'onnxruntime-node', 'bin'), {
      recursive: true,
      encoding: 'utf8',
    }).filter(name => statSync(at('app', 'node_modules', 'onnxruntime-node', 'bin', name)).isFile());
    expect(binaries.sort()).toEqual([
      'napi-v6/linux/x64/libonnxruntime.so.1',
      'napi-v6/linux/x64/onnxruntime_binding.node',
    ]);
  });

  it('runs the smoke suite there, every case measured, through a symbolic link from another folder', () => {
    const ran = inEmptyRoot('cd /root && /usr/local/bin/aibench run smoke -o r.json');
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    const document = resultSchema.parse(JSON.parse(readFileSync(path.join(host, 'root', 'r.json'), 'utf8')));
    expect(document.cases.map(({ status }) => status)).toEqual(document.cases.map(() => 'measured'));
    expect(document.cases.some(({ workload }) => workload === 'inference')).toBe(true);
    expect(document.tool.onnxruntime).not.toBeNull();
  }, 120_000);

  it('starts by a relative path and by its name in its own folder', () => {
    const version = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).version as string;
    const ran = inEmptyRoot(
      `cd /opt && ${bundle}/aibench --version && cd ${bundle} && sh aibench --version && ./aibench --version`,
    );
    expect(ran.stdout.match(new RegExp(version.replaceAll('.', '\\.'), 'g')), ran.stderr).toHaveLength(3);
  }, 60_000);

  it('says in one sentence that the C library is too old', () => {
    const launcher = path.join(host, 'opt', bundle, 'aibench');
    expect(readFileSync(launcher, 'utf8')).not.toContain('@GLIBC@');
    const fake = path.join(folder, 'tools');
    mkdirSync(fake);
    execFileSync('sh', ['-c', `printf '#!/bin/sh\\necho glibc 2.17\\n' > ${fake}/getconf && chmod +x ${fake}/getconf`]);
    const old = spawnSync('sh', [launcher, '--version'], {
      encoding: 'utf8',
      env: { PATH: `${fake}:${process.env.PATH}` },
    });
    expect(old.status).toBe(3);
    expect(old.stderr).toMatch(/glibc 2\.\d+ or later.*here is glibc 2\.17/);
  });
});

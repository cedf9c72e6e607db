// Makes native/gpu/kernels/memory_ptx.inc from memory.cu with nvcc (on PATH). The header of the PTX is then lowered to what
// drivers of 2017 read (ISA 6.0, sm_50): the kernels use nothing newer. ptxas, which comes with nvcc, proves that it assembles.
// memory_source.inc is the same source as text, for HIP's runtime compiler; a test holds the two against each other.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), 'native', 'gpu', 'kernels');
const source = readFileSync(path.join(folder, 'memory.cu'), 'utf8');
writeFileSync(
  path.join(folder, 'memory_source.inc'),
  `// Made from memory.cu by scripts/make-gpu-kernels.mjs.\nR"hip(${source.slice(source.indexOf('extern "C"'))})hip"\n`,
);
const work = mkdtempSync(path.join(tmpdir(), 'aibench-ptx-'));
try {
  const made = path.join(work, 'memory.ptx');
  execFileSync('nvcc', ['-ptx', '-arch=compute_75', path.join(folder, 'memory.cu'), '-o', made], { stdio: 'inherit' });
  const text = readFileSync(made, 'utf8')
    .replace(/^\/\/.*\n/gm, '')
    .replace(/^\.version .*$/m, '.version 6.0')
    .replace(/^\.target .*$/m, '.target sm_50')
    .trim();
  writeFileSync(made, `${text}\n`);
  for (const target of ['sm_75', 'sm_80', 'sm_90', 'sm_100']) {
    execFileSync('ptxas', [`-arch=${target}`, made, '-o', path.join(work, target)], { stdio: 'inherit' });
  }
  writeFileSync(
    path.join(folder, 'memory_ptx.inc'),
    `// Made from memory.cu by scripts/make-gpu-kernels.mjs.\nR"ptx(${text}\n)ptx"\n`,
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}

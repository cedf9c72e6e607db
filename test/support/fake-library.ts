/** A stand-in for a vendor's library: native/test/<name>.cc, compiled once for all test files. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../src/native/addon.ts';

const native = path.join(packageRoot, 'native');
const compiler = process.env.CXX ?? 'c++';
export const noCompiler = spawnSync(compiler, ['--version']).error !== undefined;
export const noCompilerReason = noCompiler ? ` (skipped: ${compiler} is not on PATH)` : '';

export interface FakeLibrary {
  /** Shared by all test files; `copy` gives one of your own. */
  path: string;
  /** Another file with the same content. */
  copy(name: string): string;
  /** A copy without the function of that name. */
  without(symbol: string): string;
  /** Runs `body` with the library told what to do, in its environment variable. */
  told<T>(orders: string, body: () => T | Promise<T>): Promise<T>;
  remove(): void;
}

/** @param name of native/test/<name>.cc @param variable that it reads its orders from */
export function buildFakeLibrary(name: string, variable: string): FakeLibrary {
  const folder = mkdtempSync(path.join(tmpdir(), 'aibench-fake-'));
  const library = noCompiler ? '' : compiled(name);
  let content: Buffer | undefined;
  return {
    path: library,
    copy(name) {
      const target = path.join(folder, `${name}.so`);
      copyFileSync(library, target);
      return target;
    },
    without(symbol) {
      content ??= readFileSync(library);
      // The name in the string table is changed, so that a look-up by hash finds a row of another name.
      const bytes = Buffer.from(content);
      const wanted = Buffer.from(`\0${symbol}\0`);
      const place = bytes.indexOf(wanted);
      if (place < 0) throw new Error(`the fake has no ${symbol}`);
      for (let at = place; at >= 0; at = bytes.indexOf(wanted, at + 1)) bytes[at + 1] = 0x5f;
      const copy = path.join(folder, `without-${symbol}.so`);
      writeFileSync(copy, bytes);
      return copy;
    },
    async told(orders, body) {
      const before = process.env[variable];
      process.env[variable] = orders;
      try {
        return await body();
      } finally {
        if (before === undefined) delete process.env[variable];
        else process.env[variable] = before;
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A library that calls its own functions finds them without their names, which `without` takes away. */
const LINK = ['-shared', '-fPIC', '-Wl,-Bsymbolic'];

/** That of the native build where nothing that it could be made of is newer; else compiled, once for what it is made of. */
function compiled(name: string): string {
  const built = path.join(packageRoot, `build-native-${process.platform}-${process.arch}`, 'Release', `${name}.so`);
  if (existsSync(built) && statSync(built).mtimeMs > newestSource()) return built;
  // Under a name that holds the source after the preprocessor.
  const flags = ['-std=c++20', '-O1', '-w', '-I', native, path.join(native, 'test', `${name}.cc`)];
  const source = execFileSync(compiler, ['-E', '-P', ...flags], { maxBuffer: 64 << 20 });
  const hash = createHash('sha256').update(source).update(LINK.join()).digest('hex').slice(0, 16);
  const library = path.join(tmpdir(), `aibench-${name}-${hash}.so`);
  if (existsSync(library)) return library;
  const making = `${library}.${process.pid}`;
  execFileSync(compiler, [...LINK, ...flags, '-o', making]);
  renameSync(making, library);
  return library;
}

/** When a stand-in, or a header of the addon, was last changed. Milliseconds. */
function newestSource(): number {
  const files = readdirSync(native, { recursive: true, encoding: 'utf8' }).filter(file =>
    /(\.h|\.inc|^test.fake_\w+\.cc)$/.test(file),
  );
  return Math.max(...files.map(file => statSync(path.join(native, file)).mtimeMs));
}

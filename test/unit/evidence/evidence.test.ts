import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { AibenchError } from '../../../src/errors.ts';
import { readFleet } from '../../../src/evidence/read-fleet.ts';
import { verifyDocument } from '../../../src/evidence/verify.ts';
import { parseJson, readDocument } from '../../../src/results/read.ts';
import type { ResultDocument } from '../../../src/results/schema.ts';
import { checkSeal, digestOf, sealDocument } from '../../../src/results/seal.ts';
import {
  checkSignature,
  publicText,
  readPrivateKey,
  readPublicKey,
  signDocument,
  writeKeyPair,
} from '../../../src/results/sign.ts';
import { syntheticDocument } from '../../fixtures/synthetic.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-evidence-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => path.join(folder, name);
const document = syntheticDocument({ seed: 4, cases: 2, watts: 80 });

function thrown(action: () => unknown): AibenchError {
  try {
    action();
  } catch (error) {
    if (error instanceof AibenchError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('seal', () => {
  it('does not depend on the order of keys or on blanks', () => {
    const turned = Object.fromEntries(Object.entries(document).reverse()) as unknown as ResultDocument;
    expect(checkSeal(JSON.parse(JSON.stringify(turned, null, 3)) as ResultDocument)).toBe('intact');
  });
  it('breaks with any digit, any key, also one that no version knows', () => {
    for (const change of [
      (copy: ResultDocument) => copy.cases[0]?.launches[0]?.samplesSeconds.fill(1, 0, 1),
      (copy: ResultDocument) => Object.assign(copy, { extra: 1 }),
      (copy: ResultDocument) => Object.assign(copy.host.cpu, { brand: 'other' }),
      (copy: ResultDocument) => Object.assign(copy.seal ?? {}, { previous: 'x' }),
    ]) {
      const copy = structuredClone(document);
      change(copy);
      expect(checkSeal(copy)).toBe('broken');
    }
  });
  it('covers the digest of the document before', () => {
    const next = sealDocument(document, document.seal?.digest);
    expect(next.seal?.previous).toBe(document.seal?.digest);
    expect(next.seal?.digest).not.toBe(document.seal?.digest);
    expect(checkSeal(next)).toBe('intact');
  });
  it('is the digest of the canonical form of RFC 8785', () => {
    // printf '{"a":[1e+30,4.5,0.002,1e-27],"seal":{"algorithm":"sha256-rfc8785"}}' | sha256sum
    const value = { a: [1e30, 4.5, 2e-3, 1e-27] } as unknown as ResultDocument;
    expect(digestOf(value)).toBe('b75e49effe45f83cae29014239f40f7e848a4c537d45f61c194540fb3683f86f');
  });
});

describe('signature', () => {
  const file = at('lab.key');
  const key = writeKeyPair(file);
  it('is good for the document, by the key that it names', () => {
    const signed = signDocument(document, readPrivateKey(file));
    expect(checkSignature(signed)).toEqual({ state: 'good', key });
    expect(publicText(readPublicKey(`${file}.pub`))).toBe(key);
    expect(checkSeal(signed)).toBe('intact');
    expect(verifyDocument(signed).mismatches).toEqual([]);
  });
  it('is broken by another digest, and by another key', () => {
    const signed = signDocument(document, readPrivateKey(file));
    const other = sealDocument(syntheticDocument({ seed: 5 }));
    Object.assign(other.seal ?? {}, { signature: signed.seal?.signature });
    expect(checkSignature(other)).toEqual({ state: 'broken' });
    expect(verifyDocument(other).mismatches.map(({ where }) => where)).toEqual(['seal.signature']);
    const stolen = structuredClone(signed);
    const rival = writeKeyPair(at('rival.key'));
    Object.assign(stolen.seal ?? {}, { signature: `${rival}:${signed.seal?.signature?.split(':')[2]}` });
    expect(checkSignature(stolen)).toEqual({ state: 'broken' });
  });
  it.each(['', 'x', 'ed25519:abc:def', `ed25519:${'A'.repeat(43)}=`])('%j is malformed', signature => {
    const odd = structuredClone(document);
    Object.assign(odd.seal ?? {}, { signature });
    expect(checkSignature(odd).state).toBe('malformed');
  });
  it('private keys are written for their owner alone, and refused when others may read them', () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    chmodSync(file, 0o644);
    expect(thrown(() => readPrivateKey(file))).toMatchObject({ code: 'KEY_EXPOSED', exitCode: 2 });
    chmodSync(file, 0o600);
  });
  it('never overwrites a key, and says what is no key', () => {
    const before = readFileSync(file, 'utf8');
    expect(thrown(() => writeKeyPair(file)).code).toBe('KEY_UNWRITABLE');
    expect(readFileSync(file, 'utf8')).toBe(before);
    writeFileSync(at('junk.key'), 'junk', { mode: 0o600 });
    expect(thrown(() => readPrivateKey(at('junk.key'))).code).toBe('KEY_UNREADABLE');
    expect(thrown(() => readPrivateKey(at('nowhere.key'))).code).toBe('KEY_UNREADABLE');
  });
});

describe('reading', () => {
  it.each([
    ['a file that is not there', () => at('none.json')],
    ['a folder', () => folder],
    ['a device', () => '/dev/null'],
    [
      'a circle of links',
      () => {
        symlinkSync(at('circle'), at('circle'));
        return at('circle');
      },
    ],
  ])('%s is one sentence', (_name, make) => {
    const error = thrown(() => readDocument(make()));
    expect(error.code).toBe('DOCUMENT_UNREADABLE');
    expect(error.message).not.toContain('\n');
  });
  it('keeps keys that it does not know, under the seal', () => {
    const file = at('extra.json');
    writeFileSync(file, JSON.stringify(sealDocument({ ...document, later: { a: 1 } } as ResultDocument)));
    expect(readDocument(file)).toHaveProperty('later');
    expect(checkSeal(readDocument(file))).toBe('intact');
  });
  it.each([
    '{"a":1,"a":2}',
    '{"a":{"b":1,"b":1}}',
    '{"\\u0061":1,"a":2}',
    '{"a" : 1 , "a" : 2}',
    '[{"x":"\\"a\\":","x":2}]',
  ])('finds the key that stands twice in %s', text => {
    expect(thrown(() => parseJson(text, 'x')).message).toMatch(/twice/);
  });
  it.each(['{"a":":","b":"\\":"}', '{"a":["b","c"],"d":"e:f"}', '{"\\\\":1,"a\\\\":2}', '{}', '"a"', '["a","b"]'])(
    'finds none in %s',
    text => {
      expect(parseJson(text, 'x')).toEqual(JSON.parse(text));
    },
  );
});

describe('verify', () => {
  it('works out every summary again', () => {
    const { mismatches, recomputed, seal } = verifyDocument(document);
    expect(mismatches).toEqual([]);
    expect(seal).toBe('intact');
    // Three metrics and one energy in each of two cases.
    expect(recomputed).toBe(8);
  });
  it('names the case and the field, with both numbers', () => {
    const copy = structuredClone(document);
    Object.assign(copy.cases[1]?.metrics.flops_per_second ?? {}, { value: 5 });
    const found = verifyDocument(sealDocument(copy)).mismatches;
    expect(found[0]?.where).toBe(`case ${copy.cases[1]?.id}: metrics.flops_per_second.value`);
    expect(found[0]?.what).toMatch(/stated as 5, the samples give \d/);
  });
});

describe('fleet', () => {
  it('reads values worked out from samples, by machine', () => {
    const files = [1, 2, 3].map(seed => {
      const file = at(`node-${seed}.json`);
      writeFileSync(file, JSON.stringify(syntheticDocument({ seed, cases: 2, host: `host-${seed % 2}` })));
      return file;
    });
    const { nodes } = readFleet(files);
    expect(nodes.map(({ host, values }) => [host, [...values.values()].map(({ values: all }) => all.length)])).toEqual([
      ['host-1', [2, 2]],
      ['host-0', [1, 1]],
    ]);
    expect(thrown(() => readFleet([files[0] ?? '', files[0] ?? ''])).code).toBe('DOCUMENT_REPEATED');
  });
  it.each(['', '{}', '[', JSON.stringify({ ...document, cases: 5 }), `{"a":${'['.repeat(100_000)}`])(
    'refuses %#',
    text => {
      writeFileSync(at('bad.json'), text);
      expect(thrown(() => readFleet([at('bad.json')])).exitCode).toBe(2);
    },
  );
});

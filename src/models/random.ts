/** Seeded numbers for weights and inputs: the same on every machine, and fast enough for a hundred million weights. */

/** 32-bit FNV-1a: turns a tensor's name into a part of its seed, so that a tensor does not depend on its place in the file. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Mixes two 32-bit numbers into one (MurmurHash3's finaliser). */
export function mixSeeds(a: number, b: number): number {
  let x = (a ^ Math.imul(b, 0x9e3779b1)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Marsaglia's xorshift32 (13, 17, 5). Integer operations only, so every platform gives the same stream. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Zero is the one state that xorshift never leaves.
    this.#state = mixSeeds(seed, 0x5bd1e995) | 0 || 1;
  }

  /** Uniform in [-1, 1). */
  symmetric(): number {
    let s = this.#state;
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    this.#state = s;
    return s / 0x80000000;
  }

  /** A whole number in [0, below). */
  integer(below: number): number {
    return Math.floor(((this.symmetric() + 1) / 2) * below);
  }

  /** Fills with mean + a uniform deviate of standard deviation `std`; uniform, since it costs a tenth of a normal one. */
  fill(target: Float32Array, std: number, mean = 0): Float32Array {
    const scale = (std * Math.sqrt(3)) / 0x80000000;
    let s = this.#state;
    for (let i = 0; i < target.length; i++) {
      s ^= s << 13;
      s ^= s >>> 17;
      s ^= s << 5;
      target[i] = mean + s * scale;
    }
    this.#state = s;
    return target;
  }
}

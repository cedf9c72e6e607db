/** Memory of the host. */
export interface StreamOptions {
  kernel: 'copy' | 'scale' | 'add' | 'triad';
  /** Bytes of each of the arrays. */
  bytesPerArray: number;
  threads: number;
  seed: number;
}

export interface ReadOptions {
  /** Of all threads together; each reads its own share again and again. */
  bytes: number;
  threads: number;
  seed: number;
}

export interface PointerChaseOptions {
  bytes: number;
  seed: number;
}

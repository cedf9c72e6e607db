/** A new file that is written once, from its beginning to its end, counted and hashed on the way. */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';

export interface WrittenFile {
  bytes: number;
  sha256: string;
}

/** Appends to a file through one large buffer, counting and hashing. */
export class FileSink {
  readonly #fd: number;
  readonly #hash: Hash = createHash('sha256');
  readonly #buffer = new Uint8Array(1 << 20);
  #used = 0;
  bytes = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'wx');
  }

  write(data: Uint8Array): void {
    this.bytes += data.byteLength;
    if (data.byteLength > this.#buffer.length - this.#used) this.#flush();
    if (data.byteLength > this.#buffer.length) this.#writeAll(data);
    else {
      this.#buffer.set(data, this.#used);
      this.#used += data.byteLength;
    }
  }

  pad(alignment: number): void {
    const missing = (alignment - (this.bytes % alignment)) % alignment;
    if (missing > 0) this.write(new Uint8Array(missing));
  }

  finish(): WrittenFile {
    this.#flush();
    return { bytes: this.bytes, sha256: this.#hash.digest('hex') };
  }

  close(): void {
    closeSync(this.#fd);
  }

  #flush(): void {
    this.#writeAll(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  #writeAll(data: Uint8Array): void {
    this.#hash.update(data);
    for (let done = 0; done < data.byteLength; ) done += writeSync(this.#fd, data, done);
  }
}

/** Writes the file at `path`, which must not exist. Throws what the file system throws. */
export function withSink(path: string, write: (sink: FileSink) => void): WrittenFile {
  const sink = new FileSink(path);
  try {
    write(sink);
    return sink.finish();
  } finally {
    sink.close();
  }
}

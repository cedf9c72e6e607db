/** Walks over the fields of a protobuf message in a file, reading only what is looked at. */
import { readSync } from 'node:fs';

/** Wire types. */
export const VARINT = 0;
const FIXED64 = 1;
export const BYTES = 2;
const FIXED32 = 5;

export interface Field {
  number: number;
  wireType: number;
  /** Of a varint. */
  value: number;
  /** Of a length-delimited field's content. */
  start: number;
  end: number;
}

/** It is no protobuf message. */
export class Malformed extends Error {}
/** A field ends behind the end of the file. */
export class Overrun extends Error {}

/** Protobuf fields of a file, read through a window so that only what is looked at is read. */
export class FieldReader {
  readonly #fd: number;
  readonly #size: number;
  readonly #window = Buffer.alloc(1 << 16);
  #windowStart = 0;
  #windowEnd = 0;
  #position = 0;

  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.#size = size;
  }

  *fields(start: number, end: number): Generator<Field> {
    let next = start;
    while (next < end) {
      this.#position = next;
      const field = this.#field(end);
      next = field.end;
      yield field;
    }
  }

  /** The content of a small length-delimited field. */
  content(field: Field): Uint8Array {
    const content = new Uint8Array(field.end - field.start);
    for (let done = 0; done < content.length; ) {
      const got = readSync(this.#fd, content, done, content.length - done, field.start + done);
      if (got === 0) throw new Overrun();
      done += got;
    }
    return content;
  }

  /** A repeated varint, packed or not. */
  *varints(field: Field): Generator<number> {
    if (field.wireType === VARINT) yield field.value;
    else {
      this.#position = field.start;
      while (this.#position < field.end) yield this.#varint();
    }
  }

  #field(parentEnd: number): Field {
    const tag = this.#varint();
    const field: Field = { number: Math.floor(tag / 8), wireType: tag % 8, value: 0, start: 0, end: 0 };
    if (field.number === 0) throw new Malformed();
    let length = 0;
    if (field.wireType === VARINT) field.value = this.#varint();
    else if (field.wireType === FIXED64) length = 8;
    else if (field.wireType === FIXED32) length = 4;
    else if (field.wireType === BYTES) length = this.#varint();
    else throw new Malformed();
    field.start = this.#position;
    field.end = this.#position + length;
    if (field.end > this.#size) throw new Overrun();
    if (field.end > parentEnd) throw new Malformed();
    return field;
  }

  #varint(): number {
    let value = 0;
    for (let index = 0; index < 10; index++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    throw new Malformed();
  }

  #byte(): number {
    if (this.#position < this.#windowStart || this.#position >= this.#windowEnd) {
      this.#windowStart = this.#position;
      this.#windowEnd = this.#position + readSync(this.#fd, this.#window, 0, this.#window.length, this.#position);
      if (this.#windowEnd === this.#windowStart) throw new Overrun();
    }
    const byte = this.#window[this.#position - this.#windowStart] ?? 0;
    this.#position += 1;
    return byte;
  }
}

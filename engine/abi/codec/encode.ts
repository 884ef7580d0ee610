import type { DecodedField, DecodedStruct } from './decoded.ts';

/** Inverse of `decode`: puts the bytes together again from what the fields say. */
export function encode(decoded: DecodedStruct): Uint8Array {
  const bytes = new Uint8Array(decoded.bytes.length);
  encodeInto(decoded, bytes);
  put(bytes, decoded.trailing, bytes.length - decoded.trailing.length);
  return bytes;
}

function encodeInto(struct: DecodedStruct, bytes: Uint8Array): void {
  for (const field of struct.fields) encodeField(field, bytes);
}

function encodeField(field: DecodedField, bytes: Uint8Array): void {
  const { value, offset } = field;
  switch (value.kind) {
    case 'integer': {
      const width = field.width ?? 8 * field.size;
      let word = BigInt.asUintN(width, BigInt(value.value)) << BigInt(field.lsb ?? 0);
      for (let i = 0; i < field.size; i++) {
        bytes[offset + i] = (bytes[offset + i] as number) | Number(word & 0xffn);
        word >>= 8n;
      }
      return;
    }
    case 'bytes':
    case 'partial':
      put(bytes, value.bytes, offset);
      return;
    case 'array':
      for (const element of value.elements) encodeField(element, bytes);
      return;
    case 'struct':
      encodeInto(value.struct, bytes);
      // Only a message's payload leaves bytes behind inside another struct.
      put(bytes, value.struct.trailing, value.struct.offset + value.struct.bytes.length);
  }
}

/** An empty run may stand beyond the end of a short buffer. */
function put(bytes: Uint8Array, run: Uint8Array, offset: number): void {
  if (run.length > 0) bytes.set(run, offset);
}

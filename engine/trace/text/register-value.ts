import { fromObject, structOf, toObject } from '../../abi/index.ts';
import type { RegisterValue } from '../event.ts';
import { refusalOf } from './abi-object.ts';
import { type Codec, REGISTER } from './codec.ts';
import { describeJson, Refusal } from './refusal.ts';

/** A name (u32), 12 reserved bytes, a value of 16 bytes (struct hv_register_assoc, Linux 7.2 include/hyperv). */
const ELEMENT_BYTES = 32;
const VALUE_OFFSET = 16;

/** The list that the register ioctls carry: its form is the form of registers anywhere in the event text. */
const LIST = 'mshv_register_elements';

function bytesOfRegisters(registers: readonly RegisterValue[]): Uint8Array {
  const bytes = new Uint8Array(registers.length * ELEMENT_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, { name, value }] of registers.entries()) {
    const at = index * ELEMENT_BYTES;
    view.setUint32(at, name, true);
    view.setBigUint64(at + VALUE_OFFSET, BigInt.asUintN(64, value), true);
    view.setBigUint64(at + VALUE_OFFSET + 8, value >> 64n, true);
  }
  return bytes;
}

function registersOfBytes(bytes: Uint8Array): RegisterValue[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / ELEMENT_BYTES }, (_, index) => {
    const at = index * ELEMENT_BYTES;
    if (bytes.subarray(at + 4, at + VALUE_OFFSET).some((byte) => byte !== 0))
      throw new Refusal('expected a name and a value alone', [index]);
    const high = view.getBigUint64(at + VALUE_OFFSET + 8, true);
    const value = view.getBigUint64(at + VALUE_OFFSET, true) | (high << 64n);
    return { name: view.getUint32(at, true), value };
  });
}

/** Registers with their values, in the order given: `[{"name":"HV_X64_REGISTER_RIP","value":"0x1000"}]`. */
export const REGISTERS: Codec<readonly RegisterValue[]> = {
  read(json) {
    if (!Array.isArray(json)) throw new Refusal(`expected a list of registers, found ${describeJson(json)}`);
    const read = fromObject(structOf(LIST), { elements: json });
    if (read.ok) return registersOfBytes(read.bytes);
    const { path, message, atKey } = refusalOf(read.error);
    throw new Refusal(message, path.slice(1), atKey);
  },
  write(value) {
    const list = toObject(structOf(LIST), bytesOfRegisters(value));
    return typeof list === 'object' && 'elements' in list ? JSON.stringify(list.elements) : '[]';
  },
  schema: {
    type: 'array',
    items: {
      type: 'object',
      properties: { name: REGISTER.schema, value: { type: ['object', 'string', 'integer'] } },
      required: ['name'],
    },
  },
};

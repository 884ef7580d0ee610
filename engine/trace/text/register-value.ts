import { findStruct, registerBytes, registers, type StructLayout } from '../../abi/index.ts';
import type { RegisterValue } from '../event.ts';
import { objectOf } from '../profile-keys.ts';
import { readStruct, writeStruct } from './abi-object.ts';
import { type Codec, hex, REGISTER } from './codec.ts';
import type { Json } from './json.ts';
import { expected, Refusal } from './refusal.ts';
import { missing, readKey, refuseUnknownKey } from './row.ts';

const WORD = hex(128);

function layoutOf(name: number): StructLayout | undefined {
  const layout = registers.find(name)?.layout;
  return layout === undefined ? undefined : findStruct(layout);
}

function numberOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i -= 1) value = (value << 8n) | BigInt(bytes[i] as number);
  return value;
}

function readValue(name: number, json: Json): bigint {
  const layout = layoutOf(name);
  if (layout === undefined || typeof json !== 'object') return WORD.read(json);
  const bytes = readStruct(layout, json);
  if (bytes.length > 16) throw expected('at most 16 bytes', json);
  return numberOf(bytes);
}

function readRegister(json: Json): RegisterValue {
  const object = objectOf(json);
  refuseUnknownKey(object, ['name', 'value']);
  const name = readKey(object, 'name', (given) => REGISTER.read(given));
  if (name === undefined) throw missing('name');
  return { name, value: readKey(object, 'value', (given) => readValue(name, given)) ?? 0n };
}

function writeRegister({ name, value }: RegisterValue): string {
  const layout = layoutOf(name);
  const bytes = registerBytes(value);
  // What the register's struct has no room for is written as the plain number.
  const fits = layout !== undefined && bytes.subarray(layout.size).every((byte) => byte === 0);
  const text = fits ? writeStruct(layout, bytes.subarray(0, layout.size)) : WORD.write(value);
  return `{"name":${REGISTER.write(name)},"value":${text}}`;
}

/** Registers with their values, in the order given: `[{"name":"HV_X64_REGISTER_RIP","value":"0x1000"}]`. */
export const REGISTERS: Codec<readonly RegisterValue[]> = {
  read(json) {
    if (!Array.isArray(json)) throw expected('a list of registers', json);
    return json.map((item: Json, index) => {
      try {
        return readRegister(item);
      } catch (error) {
        throw error instanceof Refusal ? error.below(index) : error;
      }
    });
  },
  write: (value) => `[${value.map(writeRegister).join(',')}]`,
  schema: {
    type: 'array',
    items: {
      type: 'object',
      properties: { name: REGISTER.schema, value: { type: ['object', 'string', 'integer'] } },
      required: ['name'],
      additionalProperties: false,
    },
  },
};

import {
  fromObject,
  type ObjectError,
  type ObjectResult,
  type StructLayout,
  toObject,
} from '../../abi/index.ts';
import type { Json, JsonPath } from './json.ts';
import { orList, Refusal } from './refusal.ts';

/** `elements[2].name` as the steps that a line is searched by. */
function stepsOf(path: string): JsonPath {
  return [...path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map(([, name, index]) => name ?? Number(index));
}

/** The refusal that says what the ABI's reader found wrong. */
export function refusalOf({ path, message, expected }: ObjectError): Refusal {
  const words = expected.length === 0 ? '' : `; expected ${orList(expected)}`;
  return new Refusal(`${message}${words}`, stepsOf(path));
}

/** The bytes of what the ABI read; throws its refusal. */
export function bytesOf(result: ObjectResult): Uint8Array {
  if (!result.ok) throw refusalOf(result.error);
  return result.bytes;
}

/** Reads a struct as an object of the event text, or as `{"bytes":"…"}`. */
export function readStruct(layout: StructLayout, json: Json): Uint8Array {
  return bytesOf(fromObject(layout, json));
}

export function writeStruct(layout: StructLayout, bytes: Uint8Array): string {
  return JSON.stringify(toObject(layout, bytes));
}

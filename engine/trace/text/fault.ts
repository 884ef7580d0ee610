import type { JsonSchema } from '../schema/json-schema.ts';
import { FLAG, orNull } from './codec.ts';
import type { JsonObject } from './json.ts';
import type { Draft } from './kind.ts';
import { readKey } from './row.ts';

const FAULT = orNull(FLAG);

export const FAULT_KEYS: Readonly<Record<string, JsonSchema>> = { fault: FAULT.schema };

/**
 * `fault` is an answer. Absent, it is not recorded on an event written by hand, and false on any other (who
 * recorded the access would have seen the fault); null says "not recorded" there.
 */
export function readFault(object: JsonObject, draft: Draft): void {
  const given = readKey(object, 'fault', (json) => FAULT.read(json));
  if (given === undefined && draft.provenance !== 'authored') draft.fault = false;
  else if (typeof given === 'boolean') draft.fault = given;
}

export function writeFault(event: Readonly<Draft>): string {
  const fault = event.fault as boolean | undefined;
  const absent = event.provenance === 'authored' ? undefined : false;
  return fault === absent ? '' : `,"fault":${FAULT.write(fault ?? null)}`;
}

import { fieldOf, hypercalls, readU32, writeField } from '../../abi/index.ts';
import type { DriverRun, Outcome } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import type { Actor } from '../kernel/access.ts';
import { errnoOf, failure } from '../kernel/errno.ts';
import { issue } from '../kernel/hypercall.ts';
import { unread } from '../kernel/user-memory.ts';
import type { IoctlRow } from '../mshv/ioctl-row.ts';
import { EXPLICIT_SUSPEND, INTERCEPT_SUSPEND } from '../mshv/run/registers.ts';
import { vpOfCall } from '../mshv/run/vp.ts';

const RULE = 'Linux.rfc2020.registers';
const ARG = { bytes: 24, count: fieldOf('rfc2020_mshv_vp_registers', 'count') };
const MAX_REGISTERS = 128;
const NAME_BYTES = 4;
const VALUE_BYTES = 16;
const HEADER_BYTES = 16;
const ELEMENT_BYTES = 32;
const ID = fieldOf('hv_input_set_vp_registers', 'partition_id');
const INDEX = fieldOf('hv_input_set_vp_registers', 'vp_index');
/**
 * Registers of one call: both batch sizes divide a page by the 16 bytes of the header, then by those of a name (HV_GET_REGISTER_BATCH_SIZE)
 * or of an element (HV_SET_REGISTER_BATCH_SIZE).
 */
const GET_BATCH = 4096 / HEADER_BYTES / NAME_BYTES;
const SET_BATCH = 4096 / HEADER_BYTES / ELEMENT_BYTES;
const GET = hypercalls.number('GET_VP_REGISTERS');
const SET = hypercalls.number('SET_VP_REGISTERS');
/** Where a value stands in an element of a set call, behind its name. */
const VALUE_AT = 16;

function header(event: IoctlEvent, bytes: number): Uint8Array {
  const vp = vpOfCall(event);
  const input = new Uint8Array(HEADER_BYTES + bytes);
  writeField(input, ID, vp.partition);
  writeField(input, INDEX, vp.index);
  return input;
}

/** Why a count is refused; one below 0 is more than there can be memory for. */
function refused(count: number): number {
  if (count > MAX_REGISTERS) return failure('EINVAL');
  return count < 0 ? failure('ENOMEM') : 0;
}

function* get(context: Context, actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
  const count = readU32(arg, ARG.count) | 0;
  const bad = refused(count);
  if (bad !== 0) return { ret: bad, rule: RULE };
  const names = event.in ?? new Uint8Array(0);
  if (names.length < count * NAME_BYTES) return unread(event, RULE);
  const shown = event.ret === 0 ? event.out?.data : undefined;
  const data = new Uint8Array(count * VALUE_BYTES);
  for (let done = 0; done < count; done += GET_BATCH) {
    const reps = Math.min(count - done, GET_BATCH);
    const input = header(event, reps * NAME_BYTES);
    input.set(names.subarray(done * NAME_BYTES, (done + reps) * NAME_BYTES), HEADER_BYTES);
    const output = shown?.subarray(done * VALUE_BYTES, (done + reps) * VALUE_BYTES);
    const call = { reps, ...(output === undefined ? {} : { recorded: { output } }) };
    const answer = yield* issue(actor, GET, input, call);
    const ret = errnoOf(answer, context.profile);
    if (ret !== 0) return { ret, rule: RULE };
    data.set((answer.output ?? new Uint8Array(0)).subarray(0, reps * VALUE_BYTES), done * VALUE_BYTES);
  }
  return { ret: 0, out: { data }, rule: RULE };
}

function* set(context: Context, actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
  const count = readU32(arg, ARG.count) | 0;
  const bad = refused(count);
  if (bad !== 0) return { ret: bad, rule: RULE };
  const lists = event.in ?? new Uint8Array(0);
  if (lists.length < count * (NAME_BYTES + VALUE_BYTES)) return unread(event, RULE);
  const view = new DataView(lists.buffer, lists.byteOffset, lists.length);
  const names = Array.from({ length: count }, (_, i) => view.getUint32(i * NAME_BYTES, true));
  // Whether a VP runs is the driver's affair.
  if (names.some((name) => name === EXPLICIT_SUSPEND || name === INTERCEPT_SUSPEND)) {
    return { ret: failure('EINVAL'), rule: RULE };
  }
  for (let done = 0; done < count; ) {
    const batch = names.slice(done, done + SET_BATCH);
    const input = header(event, batch.length * ELEMENT_BYTES);
    const elements = new DataView(input.buffer, HEADER_BYTES);
    batch.forEach((name, i) => {
      const from = count * NAME_BYTES + (done + i) * VALUE_BYTES;
      elements.setUint32(i * ELEMENT_BYTES, name, true);
      input.set(lists.subarray(from, from + VALUE_BYTES), HEADER_BYTES + i * ELEMENT_BYTES + VALUE_AT);
    });
    const ret = errnoOf(yield* issue(actor, SET, input, { reps: batch.length }), context.profile);
    if (ret !== 0) return { ret, rule: RULE };
    done += batch.length;
  }
  return { ret: 0, rule: RULE };
}

/** Registers of a VP as the RFC of 2020 had them: a list of names and one of values. */
export const REGISTER_IOCTLS: readonly IoctlRow[] = [
  { fd: 'vp', name: 'MSHV_GET_VP_REGISTERS', argBytes: ARG.bytes, enter: get },
  { fd: 'vp', name: 'MSHV_SET_VP_REGISTERS', argBytes: ARG.bytes, enter: set },
];

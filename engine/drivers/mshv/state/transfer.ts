import { encodeControl, fieldOf, writeField } from '../../../abi/index.ts';
import type { DriverRun } from '../../../machine/child.ts';
import type { Context } from '../../../machine/context.ts';
import type { Actor } from '../../kernel/access.ts';
import { errnoOf } from '../../kernel/errno.ts';
import { hypercallCode } from '../../kernel/hypercall.ts';
import { allocateFrames } from '../../kernel/objects.ts';
import { depositFor, MAX_ROUNDS } from '../deposit.ts';
import type { VpId } from '../pages.ts';

export const GET_STATE = hypercallCode('GET_VP_STATE');
export const SET_STATE = hypercallCode('SET_VP_STATE');
const INPUT = {
  bytes: 40,
  id: fieldOf('hv_input_get_vp_state', 'partition_id'),
  index: fieldOf('hv_input_get_vp_state', 'vp_index'),
  type: fieldOf('hv_input_get_vp_state', 'state_data.type'),
  flags: fieldOf('hv_input_get_vp_state', 'state_data.xsave.flags'),
  states: fieldOf('hv_input_get_vp_state', 'state_data.xsave.states'),
};
/** Which state a call is about: the hypervisor's type, and what of XSAVE. */
interface StateType {
  readonly type: number;
  readonly flags: bigint;
  readonly states: bigint;
}

/** The input: how many pages of the program take part, or the data itself. */
export function inputOf(context: Context, vp: VpId, what: StateType, list: Uint8Array | number) {
  const pages = typeof list === 'number' ? list : 0;
  const data = typeof list === 'number' ? new Uint8Array(pages * 8) : list;
  const input = new Uint8Array(INPUT.bytes + data.length);
  writeField(input, INPUT.id, vp.partition);
  writeField(input, INPUT.index, vp.index);
  writeField(input, INPUT.type, what.type);
  writeField(input, INPUT.flags, what.flags);
  writeField(input, INPUT.states, what.states);
  input.set(data, INPUT.bytes);
  if (pages === 0) return { input };
  const view = new DataView(input.buffer);
  const first = allocateFrames(context, pages);
  for (let i = 0; i < pages; i++) view.setBigUint64(INPUT.bytes + i * 8, first + BigInt(i), true);
  return { input, bind: 'guest-frames', bound: [INPUT.bytes, input.length] } as const;
}

/** The hypercall with its variable header, again after a deposit; `recorded`: what the record of its cause says of the output. */
export function* transfer(
  context: Context,
  actor: Actor,
  vp: VpId,
  code: typeof GET_STATE,
  made: ReturnType<typeof inputOf>,
  recorded?: Uint8Array,
): DriverRun<{ readonly ret: number; readonly output: Uint8Array }> {
  const variableHeaderQwords = (made.input.length - INPUT.bytes) / 8;
  const control = encodeControl({ code, variableHeaderQwords });
  const shown = recorded === undefined ? {} : { recorded: { output: recorded } };
  for (let round = 0; ; round++) {
    const answer = yield { kind: 'hypercall', ...actor, control, ...made, ...shown };
    if (answer.kind !== 'hypercall') throw new Error('a hypercall was answered as something else');
    const output = answer.output ?? new Uint8Array(0);
    if (answer.fault === true || round === MAX_ROUNDS)
      return { ret: errnoOf(answer, context.profile), output };
    const ret = yield* depositFor(context, actor, answer.result.status, vp.partition);
    if (ret === undefined) return { ret: errnoOf(answer, context.profile), output };
    if (ret !== 0) return { ret, output };
  }
}

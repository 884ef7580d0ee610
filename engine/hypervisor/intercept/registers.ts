import { fieldOf, messageTypes, readU64, registers } from '../../abi/index.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import type { InterceptEvent, RegisterValue } from '../../trace/event.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { acceptInterrupt } from '../vp/accept.ts';
import { forgetRegisters, setRegister } from '../vp/values.ts';

/** Messages that begin with something else than the header of an intercept (Linux 7.2 include/hyperv). */
const WITHOUT_HEADER: ReadonlySet<number> = new Set(
  [
    'HVMSG_X64_APIC_EOI',
    'HVMSG_OPAQUE_INTERCEPT',
    'HVMSG_INVALID_VP_REGISTER_VALUE',
    'HVMSG_UNSUPPORTED_FEATURE',
    'HVMSG_GPA_ATTRIBUTE_INTERCEPT',
  ].map((name) => messageTypes.number(name)),
);
const HEADER = {
  bytes: 40,
  cs: fieldOf('hv_x64_intercept_message_header', 'cs_segment.base'),
  rip: fieldOf('hv_x64_intercept_message_header', 'rip'),
  rflags: fieldOf('hv_x64_intercept_message_header', 'rflags'),
};
const CS_HIGH = { ...HEADER.cs, offset: HEADER.cs.offset + 8 };
const CS = registers.number('CS');
const RIP = registers.number('RIP');
const RFLAGS = registers.number('RFLAGS');
const LOW = 0xffff_ffff_ffff_ffffn;

/** The registers that the stop names are all that the guest changed. */
function take(context: Context, vp: ObjectId, values: readonly RegisterValue[]): void {
  const ran = cellAt(vp, VP.slots.ran);
  if (context.store.low(ran) === 1) context.store.set(ran, 0);
  for (const { name, value } of values)
    setRegister(context, vp, name, { low: value & LOW, high: value >> 64n });
  // It may go on by that: last, since what is set of a VP that ran unseen forgets the rest.
  for (const value of values) acceptInterrupt(context, vp, value);
}

/** What is known of the registers of a VP that stopped: without a list, what the header of its message says. */
export function takeRegisters(
  context: Context,
  vp: ObjectId,
  { registers: values, payload, type }: Pick<InterceptEvent, 'registers' | 'payload' | 'type'>,
): void {
  if (values !== undefined) {
    take(context, vp, values);
    return;
  }
  forgetRegisters(context, vp);
  if (payload === undefined || payload.length < HEADER.bytes || WITHOUT_HEADER.has(type)) return;
  setRegister(context, vp, CS, { low: readU64(payload, HEADER.cs), high: readU64(payload, CS_HIGH) });
  setRegister(context, vp, RIP, { low: readU64(payload, HEADER.rip), high: 0n });
  setRegister(context, vp, RFLAGS, { low: readU64(payload, HEADER.rflags), high: 0n });
}

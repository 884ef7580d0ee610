import { messageTypes, registers } from '../../abi/index.ts';
import type { Emitted } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { isFresh } from './values.ts';

const { reg } = VP.slots;
const INVALID_VALUE = messageTypes.number('HVMSG_INVALID_VP_REGISTER_VALUE');
const PAYLOAD_BYTES = 8;

const CR0 = { protected: 1, notWriteThrough: 1 << 29, cacheDisable: 1 << 30, paging: 1 << 31 };
const CR4_PAE = 1 << 5;
const EFER = { longMode: 1 << 8, longModeActive: 1 << 10 };
const RFLAGS = { alwaysSet: 1 << 1, virtual8086: 1 << 17 };
/** Of a code segment: 64-bit code, and the default size of operands (hv_x64_segment_register, attributes). */
const CS = { long: 1 << 13, big: 1 << 14 };

const NAMES = ['CR0', 'CR4', 'EFER', 'RFLAGS', 'CS', 'RIP'].map((name) => registers.number(name));

/** The low 32 bits of what decides. */
interface Values {
  readonly cr0: number;
  readonly cr4: number;
  readonly efer: number;
  readonly rflags: number;
  readonly cs: number;
  readonly ripHigh: number;
}

function has(value: number, bit: number): boolean {
  return (value & bit) !== 0;
}

/** What no processor can be in (Intel SDM 3, 2.5 and 27.3.1: checks on the guest state at VM entry). */
function contradicts({ cr0, cr4, efer, rflags, cs, ripHigh }: Values): boolean {
  const paging = has(cr0, CR0.paging);
  const long = has(efer, EFER.longModeActive);
  return (
    (paging && !has(cr0, CR0.protected)) ||
    (has(cr0, CR0.notWriteThrough) && !has(cr0, CR0.cacheDisable)) ||
    (paging && has(efer, EFER.longMode) && !has(cr4, CR4_PAE)) ||
    long !== (paging && has(efer, EFER.longMode)) ||
    !has(rflags, RFLAGS.alwaysSet) ||
    (long && has(rflags, RFLAGS.virtual8086)) ||
    (long && has(cs, CS.long) && has(cs, CS.big)) ||
    (ripHigh !== 0 && !(long && has(cs, CS.long)))
  );
}

/**
 * A VP that is let run has registers that contradict each other: each value is a possible one, so that setting them was not
 * refused (TLFS 2013, virtual processor registers). Of a guest that has run unseen nothing is said.
 */
export function isImpossible(context: Context, vp: ObjectId): boolean {
  const { store } = context;
  const values = {
    cr0: store.low(cellAt(vp, reg.cr0)),
    cr4: store.low(cellAt(vp, reg.cr4)),
    efer: store.low(cellAt(vp, reg.efer)),
    rflags: store.low(cellAt(vp, reg.rflags)),
    cs: store.low(cellAt(vp, reg.cs.attributes)),
    ripHigh: store.high(cellAt(vp, reg.rip)),
  };
  return contradicts(values) && NAMES.every((name) => isFresh(context, vp, name));
}

/** Such a VP does not run: its parent gets a message with its index, and it is suspended as by any intercept. */
export function invalidStop({ store }: Context, vp: ObjectId, cpu: number | undefined): Emitted {
  const index = Number(store.key(vp));
  const payload = new Uint8Array(PAYLOAD_BYTES);
  new DataView(payload.buffer).setUint32(0, index, true);
  return {
    kind: 'intercept',
    component: 'hypervisor',
    ...(cpu === undefined ? {} : { cpu }),
    vp: { partition: BigInt(store.key(store.parent(vp))), vp: index },
    type: INVALID_VALUE,
    payload,
    registers: [],
  };
}

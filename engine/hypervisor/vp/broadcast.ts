import { constantNumber, fieldOf, readU32, readU64 } from '../../abi/index.ts';
import type { HypercallAnswer } from '../../machine/child.ts';
import type { ObjectId } from '../../state/store.ts';
import { type Call, type CallRow, failed, repeated, succeeded } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { VP } from '../cells/vp.ts';
import { acceptInterrupts, MODE } from '../lapic/accept.ts';
import { RESERVED, reservedSet } from '../partition/target.ts';

/** What a call for several processors asks; `vp`: the one of a guest that makes it. */
type Asked = Pick<Call, 'context' | 'control' | 'input' | 'event'> & { readonly vp?: ObjectId };
type Answer = (call: Asked) => HypercallAnswer;

const FLUSH_FLAGS = fieldOf('hv_tlb_flush', 'flags');
/** All processors, all address spaces, non-global only, extended ranges (Linux 7.2 include/hyperv: HV_FLUSH_…). */
const KNOWN_FLAGS = 0xfn;
const IPI = {
  vector: fieldOf('hv_send_ipi', 'vector'),
  reserved: fieldOf('hv_send_ipi', 'reserved'),
  mask: fieldOf('hv_send_ipi', 'cpu_mask'),
};
const IPI_EX = {
  vector: fieldOf('hv_send_ipi_ex', 'vector'),
  reserved: fieldOf('hv_send_ipi_ex', 'reserved'),
  set: fieldOf('hv_send_ipi_ex', 'vp_set').offset,
};
const FLUSH_EX_SET = fieldOf('hv_tlb_flush_ex', 'hv_vp_set').offset;
const SET = {
  format: fieldOf('hv_vpset', 'format'),
  banks: fieldOf('hv_vpset', 'valid_bank_mask'),
  contents: fieldOf('hv_vpset', 'bank_contents'),
};
const SPARSE = constantNumber('HV_GENERIC_SET_SPARSE_4K');
const ALL = constantNumber('HV_GENERIC_SET_ALL');
const BANK_BITS = 64;
const FIRST_VECTOR = 16;
const LAST_VECTOR = 255;

const BAD_SET = failed(STATUS.INVALID_PARAMETER, 'TLFS.vp-set');
const BAD_VECTOR = failed(STATUS.INVALID_PARAMETER, 'TLFS.ipi.vector');
const SENT = 'TLFS.ipi.send';
const NOTHING = 'TLFS.flush.nothing-to-do';

/** Which VPs are meant, by index. */
type Chosen = (index: number) => boolean;

function inMask(mask: bigint): Chosen {
  return (index) => index < BANK_BITS && ((mask >> BigInt(index)) & 1n) === 1n;
}

/** A sparse set: a bank of 64 VPs for each bit of the mask, in their order (TLFS, sparse virtual processor sets). */
function inSet({ control, input }: Asked, at: number): Chosen | undefined {
  const format = readU64(input, { ...SET.format, offset: at + SET.format.offset });
  if (format === BigInt(ALL)) return () => true;
  const mask = readU64(input, { ...SET.banks, offset: at + SET.banks.offset });
  const banks: number[] = [];
  for (let bank = 0; bank < BANK_BITS; bank++) if (((mask >> BigInt(bank)) & 1n) === 1n) banks.push(bank);
  if (format !== BigInt(SPARSE) || banks.length !== control.variableHeaderQwords) return undefined;
  const contents = { ...SET.contents, offset: at + SET.contents.offset };
  return (index) => {
    const place = banks.indexOf(Math.floor(index / BANK_BITS));
    return place >= 0 && ((readU64(input, contents, place) >> BigInt(index % BANK_BITS)) & 1n) === 1n;
  };
}

/**
 * HvCallSendSyntheticClusterIpi, also with a set: a fixed interrupt for VPs of the caller's own partition. Those of a kernel's own
 * CPUs are not kept.
 */
function send(call: Asked, isEx: boolean): HypercallAnswer {
  const { context, input, vp } = call;
  const fields = isEx ? IPI_EX : IPI;
  if (reservedSet(call, [fields.reserved])) return RESERVED;
  const vector = readU32(input, fields.vector);
  if (vector < FIRST_VECTOR || vector > LAST_VECTOR) return BAD_VECTOR;
  const chosen = isEx ? inSet(call, IPI_EX.set) : inMask(readU64(input, IPI.mask));
  if (chosen === undefined) return BAD_SET;
  if (vp === undefined) return succeeded(SENT);
  const { store } = context;
  const reached = store.children(store.parent(vp), VP).filter((id) => chosen(Number(store.key(id))));
  acceptInterrupts(context, reached, { mode: MODE.fixed, vector, level: false });
  return succeeded(SENT);
}

/** The engine keeps no translations, so there is nothing to flush; what a guest's own processor keeps is not reached. The input is judged all the same. */
function flush(call: Asked, isEx: boolean): HypercallAnswer {
  const { control, input } = call;
  if ((readU64(input, FLUSH_FLAGS) & ~KNOWN_FLAGS) !== 0n) {
    return failed(STATUS.INVALID_PARAMETER, 'TLFS.flush.flags');
  }
  if (isEx && inSet(call, FLUSH_EX_SET) === undefined) return BAD_SET;
  return control.repCount === 0 ? succeeded(NOTHING) : repeated(STATUS.SUCCESS, control.repCount, NOTHING);
}

/** Calls that name processors of the caller's own partition: for guests and for the kernel alike. */
export const PROCESSOR_ANSWERS: readonly (readonly [name: string, answer: Answer])[] = [
  ['FLUSH_VIRTUAL_ADDRESS_SPACE', (call) => flush(call, false)],
  ['FLUSH_VIRTUAL_ADDRESS_LIST', (call) => flush(call, false)],
  ['FLUSH_VIRTUAL_ADDRESS_SPACE_EX', (call) => flush(call, true)],
  ['FLUSH_VIRTUAL_ADDRESS_LIST_EX', (call) => flush(call, true)],
  ['SEND_IPI', (call) => send(call, false)],
  ['SEND_IPI_EX', (call) => send(call, true)],
  // No other VP waits for this one.
  ['NOTIFY_LONG_SPIN_WAIT', () => succeeded(NOTHING)],
];

export const PROCESSOR_CALLS: readonly CallRow[] = PROCESSOR_ANSWERS.map(([name, answer]) => ({
  name,
  answer: ({ context, control, input, event }) => answer({ context, control, input, event }),
}));

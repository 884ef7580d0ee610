import { constantNumber, decodeControl, fieldOf, readU64, writeField } from '../../abi/index.ts';
import { cellAt, UNMODELLED } from '../../hypervisor/index.ts';
import type { DriverRun, HypercallAnswer, Outcome, ShownCall } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import { VTL_HVCALL } from '../cells/vtl.ts';
import type { Actor } from '../kernel/access.ts';
import { failure } from '../kernel/errno.ts';
import { copiedOutput } from '../kernel/output.ts';
import type { IoctlRow } from '../mshv/ioctl-row.ts';
import { unread } from './answer.ts';
import { hvcallOf, vtlOf } from './files.ts';

const RULE = 'Linux.vtl.hvcall';
const SETUP = { arg: 16, size: fieldOf('mshv_vtl_hvcall_setup', 'bitmap_array_size') };
const ARG = {
  bytes: 48,
  control: fieldOf('mshv_vtl_hvcall', 'control'),
  inSize: fieldOf('mshv_vtl_hvcall', 'input_size'),
  status: fieldOf('mshv_vtl_hvcall', 'status'),
  outSize: fieldOf('mshv_vtl_hvcall', 'output_size'),
};
/** A bit for each call code of 16 bits. */
const BITMAP_BYTES = 0x1_0000 / 8;
const PAGE_BYTES = BigInt(constantNumber('HV_HYP_PAGE_SIZE'));
const CODE_MASK = 0xffffn;
const REPS_SHIFT = 32n;
const REPS_MASK = 0xfffn;
const STATUS_MASK = 0xffffn;
const ALL_ONES = 0xffff_ffff_ffff_ffffn;

function openOf({ handle }: IoctlEvent): number {
  return handle.kind === 'hvcall' ? handle.open : 0;
}

/** The file's own object; for one whose opening was not in the trace from its first setup on. */
function fileFor(context: Context, event: IoctlEvent): ObjectId {
  const open = openOf(event);
  return hvcallOf(context, open) ?? context.store.create(vtlOf(context), VTL_HVCALL, open);
}

/** Which calls pass: said once for each open. */
function setup(context: Context, _actor: Actor, event: IoctlEvent, arg: Uint8Array): Outcome {
  const { store } = context;
  const known = hvcallOf(context, openOf(event));
  const { isSet, allowed } = VTL_HVCALL.slots;
  if (known !== undefined && store.low(cellAt(known, isSet)) === 1)
    return { ret: failure('EINVAL'), rule: RULE };
  const size = readU64(arg, SETUP.size);
  if (size > BigInt(BITMAP_BYTES)) return { ret: failure('EINVAL'), rule: RULE };
  const bitmap = event.in ?? new Uint8Array(0);
  if (bitmap.length < Number(size)) return unread(event, RULE);
  const file = fileFor(context, event);
  store.set(cellAt(file, isSet), 1);
  store.set(cellAt(file, allowed), store.intern(bitmap.slice(0, Number(size))));
  return { ret: 0, rule: RULE };
}

function isAllowed({ store }: Context, file: ObjectId | undefined, code: number): boolean {
  if (file === undefined) return false;
  const bitmap = store.blob(store.number(cellAt(file, VTL_HVCALL.slots.allowed)));
  return (((bitmap[code >> 3] ?? 0) >> (code & 7)) & 1) === 1;
}

/** What the record of the ioctl says of the hypercall below it. */
function shownBy({ out, ret }: IoctlEvent): ShownCall {
  if (out?.arg === undefined || out.arg.length < ARG.bytes || ret !== 0) return {};
  const word = readU64(out.arg, ARG.status);
  const result = { status: Number(word & STATUS_MASK), reps: Number((word >> REPS_SHIFT) & REPS_MASK) };
  return out.data === undefined ? { result } : { result, output: out.data };
}

/** The whole result as the hypervisor gave it; without a hypercall page all ones. */
function resultWord({ fault, result }: HypercallAnswer): bigint {
  return fault === true ? ALL_ONES : BigInt(result.status) | (BigInt(result.reps) << REPS_SHIFT);
}

/** A hypercall as user space has made it up; the result is that of the copy, the hypercall's own is in the argument. */
function* call(context: Context, actor: Actor, event: IoctlEvent, arg: Uint8Array): DriverRun<Outcome> {
  const [inSize, outSize] = [readU64(arg, ARG.inSize), readU64(arg, ARG.outSize)];
  if (inSize > PAGE_BYTES || outSize > PAGE_BYTES) return { ret: failure('EINVAL'), rule: RULE };
  const control = readU64(arg, ARG.control);
  const file = hvcallOf(context, openOf(event));
  if (!isAllowed(context, file, Number(control & CODE_MASK))) return { ret: failure('EPERM'), rule: RULE };
  const given = event.in ?? new Uint8Array(0);
  if (given.length < Number(inSize)) return unread(event, RULE);
  // A fast call would take the addresses of the two pages for its input, and nobody knows those.
  if (decodeControl(control).fast)
    return typeof event.ret === 'number' ? { ret: event.ret, rule: UNMODELLED } : { rule: UNMODELLED };
  const input = given.slice(0, Number(inSize));
  const answer = yield { kind: 'hypercall', ...actor, control, input, recorded: shownBy(event) };
  if (answer.kind !== 'hypercall') throw new Error('a hypercall was answered as something else');
  const after = arg.slice(0, ARG.bytes);
  writeField(after, ARG.status, resultWord(answer));
  const rule = answer.rule === UNMODELLED ? UNMODELLED : RULE;
  if (outSize === 0n) return { ret: 0, out: { arg: after }, rule };
  // Filled whatever the call came to.
  const data = copiedOutput(context, event, Number(outSize), answer.output);
  return { ret: 0, out: { arg: after, data }, rule };
}

/** /dev/mshv_hvcall (Linux 7.2 drivers/hv/mshv_vtl_main.c, mshv_vtl_hvcall_dev_ioctl). */
export const HVCALL_IOCTLS: readonly IoctlRow[] = [
  { fd: 'hvcall', name: 'MSHV_HVCALL_SETUP', argBytes: SETUP.arg, enter: setup },
  { fd: 'hvcall', name: 'MSHV_HVCALL', argBytes: ARG.bytes, enter: call },
];

import {
  constantNumber,
  encodeControl,
  type FdKind,
  type FieldHandle,
  fieldOf,
  type HypercallRow,
  hypercalls,
  readHigh32,
  readU32,
  statuses,
  writeField,
} from '../../abi/index.ts';
import { UNMODELLED } from '../../hypervisor/index.ts';
import type { DriverRun, HypercallAnswer, Outcome, ShownCall } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import type { IoctlEvent } from '../../trace/event.ts';
import type { Actor } from '../kernel/access.ts';
import { errnoOf, failure } from '../kernel/errno.ts';
import { copiedOutput } from '../kernel/output.ts';
import { unread } from '../kernel/user-memory.ts';
import { callerOf, isAnnounced, isCompleted, setCaller, takeCompleted } from './completion.ts';
import { depositFor, MAX_ROUNDS } from './deposit.ts';
import type { IoctlRow } from './ioctl-row.ts';
import { serveMessages, serveScheduler } from './isr.ts';
import { partitionOf } from './objects.ts';
import { SELF } from './partition-id.ts';

const RULE = 'Linux.mshv.root-hvcall';
const ARG = {
  bytes: 32,
  code: fieldOf('mshv_root_hvcall', 'code'),
  reps: fieldOf('mshv_root_hvcall', 'reps'),
  inSize: fieldOf('mshv_root_hvcall', 'in_sz'),
  outSize: fieldOf('mshv_root_hvcall', 'out_sz'),
  status: fieldOf('mshv_root_hvcall', 'status'),
  reserved: fieldOf('mshv_root_hvcall', 'rsvd'),
  input: fieldOf('mshv_root_hvcall', 'in_ptr'),
  output: fieldOf('mshv_root_hvcall', 'out_ptr'),
};
const PAGE_BYTES = constantNumber('HV_HYP_PAGE_SIZE');
/** The partition id that every input begins with, as this one does. */
const ID_BYTES = 8;
const PARTITION_ID = fieldOf('hv_input_set_vp_registers', 'partition_id');
/** Bits of the rep count in a control word; the field of the ioctl has 16. */
const REP_BITS = 12;
const REPS_SPILL = 44n;
const ASYNC = hypercalls.named('SET_PARTITION_PROPERTY')?.value;
const CALL_PENDING = statuses.number('CALL_PENDING');

/** The checks of the argument, in the kernel's order (Linux 7.2 drivers/hv/mshv_root_main.c, mshv_ioctl_passthru_hvcall). */
function isBad(arg: Uint8Array): boolean {
  const inSize = readU32(arg, ARG.inSize);
  const outSize = readU32(arg, ARG.outSize);
  if (readU32(arg, ARG.status) !== 0 || isNull(arg, ARG.input)) return true;
  if (inSize < ID_BYTES || inSize > PAGE_BYTES) return true;
  const { offset, length } = ARG.reserved;
  for (let at = offset; at < offset + length; at++) if (arg[at] !== 0) return true;
  return !isNull(arg, ARG.output) && (outSize === 0 || outSize > PAGE_BYTES);
}

function isNull(arg: Uint8Array, pointer: FieldHandle): boolean {
  return (readU32(arg, pointer) | readHigh32(arg, pointer)) === 0;
}

function isAllowed(row: HypercallRow | undefined, fd: FdKind): row is HypercallRow {
  if (row === undefined || row.passthrough === 'no') return false;
  if (fd === 'device') return row.passthrough === 'device';
  return fd === 'partition' || row.value !== ASYNC;
}

/** The control word; more than 4095 repetitions spill into reserved bits. */
function controlOf(row: HypercallRow, reps: number, start: number): bigint {
  const count = reps & ((1 << REP_BITS) - 1);
  const control = encodeControl({ code: row.value, repCount: count, repStart: start });
  return control | (BigInt(reps >>> REP_BITS) << REPS_SPILL);
}

/** What the record of the ioctl says of the hypercall below it. */
function shownBy({ out, ret }: IoctlEvent): ShownCall | undefined {
  if (out?.arg === undefined) return undefined;
  const result = { status: readU32(out.arg, ARG.status), reps: readU32(out.arg, ARG.reps) };
  return out.data === undefined || ret !== 0 ? { result } : { result, output: out.data };
}

interface Passed {
  readonly ret: number;
  readonly answer: HypercallAnswer;
  readonly done: number;
}

/** The call that was asked for, as the hypervisor is to see it. */
interface Asked {
  readonly partition: bigint;
  readonly row: HypercallRow;
  readonly input: Uint8Array;
  readonly reps: number;
  readonly shown: ShownCall | undefined;
}

/**
 * Makes the call until it succeeds, or fails for want of something else than memory; undefined: the hypervisor
 * finishes it later. `finished`: what a call came to that it has finished.
 */
function* pass(
  context: Context,
  actor: Actor,
  asked: Asked,
  finished?: HypercallAnswer,
): DriverRun<Passed | undefined> {
  const { partition, row, input, reps, shown } = asked;
  let done = 0;
  for (let round = 0, late = finished; ; late = undefined) {
    const control = controlOf(row, reps, done);
    const call = { kind: 'hypercall', ...actor, control, input } as const;
    const answer = late ?? (yield shown === undefined ? call : { ...call, recorded: shown });
    if (answer.kind !== 'hypercall') throw new Error('a hypercall was answered as something else');
    const { status, reps: completed } = answer.result;
    const before = done;
    if (reps > 0) done = completed;
    const end = (ret: number): Passed => ({ ret, answer, done });
    if (answer.fault === true) return end(errnoOf(answer, context.profile));
    if (status === CALL_PENDING) return row.value === ASYNC ? undefined : end(failure('EBADFD'));
    if (status === 0 && (done >= reps || done <= before)) return end(0);
    if (status === 0) continue;
    if (round++ === MAX_ROUNDS) return end(failure('ENOMEM'));
    const deposited = yield* depositFor(context, actor, status, partition);
    if (deposited === undefined) return end(errnoOf(answer, context.profile));
    if (deposited !== 0) return end(deposited);
    // Linux 6.16 leaves it to user space to call again.
    if (context.profile.kernel === 'upstream-6.16') return end(failure('EAGAIN'));
  }
}

function* enter(
  context: Context,
  actor: Actor,
  event: IoctlEvent,
  arg: Uint8Array,
  fd: FdKind,
): DriverRun<Outcome> {
  const row = hypercalls.find(readU32(arg, ARG.code));
  if (isBad(arg) || !isAllowed(row, fd) || isRefusedCount(context, arg))
    return { ret: failure('EINVAL'), rule: RULE };
  const id = partitionOfCall(context, event);
  // The call that waits for its end has the lock of the partition.
  if (fd === 'partition' && id !== undefined && callerOf(context, id) !== 0) return { rule: RULE };
  if (row.value === ASYNC && id !== undefined && isCompleted(context, id)) {
    return { ret: failure('EPERM'), rule: RULE };
  }
  if (event.in === undefined) return unread(event, RULE);
  const passed = yield* pass(context, actor, askedBy(event, arg, row, event.in));
  yield* serveScheduler(context);
  return passed === undefined ? yield* awaited(context, event, id) : ended(context, event, arg, passed);
}

/** The hypervisor finishes the call later; the message of that may be there already. */
function* awaited(context: Context, event: IoctlEvent, id: ObjectId | undefined): DriverRun<Outcome> {
  if (id !== undefined) setCaller(context, id, event.seq);
  yield* serveMessages(context);
  return { rule: RULE };
}

/** More repetitions than the control word can say are let through: the quirk `root-hvcall-reps-spill`. */
function isRefusedCount({ profile }: Context, arg: Uint8Array): boolean {
  return readU32(arg, ARG.reps) >>> REP_BITS !== 0 && !profile.quirks['root-hvcall-reps-spill'];
}

function partitionNamed({ handle }: IoctlEvent): bigint | undefined {
  return handle.kind === 'partition' || handle.kind === 'vp' ? handle.partition : undefined;
}

function askedBy(event: IoctlEvent, arg: Uint8Array, row: HypercallRow, given: Uint8Array): Asked {
  const partition = partitionNamed(event) ?? SELF;
  const bytes = readU32(arg, ARG.inSize);
  const input = new Uint8Array(bytes);
  input.set(given.length > bytes ? given.subarray(0, bytes) : given);
  // Whatever the caller wrote there.
  writeField(input, PARTITION_ID, partition);
  return { partition, row, input, reps: readU32(arg, ARG.reps), shown: shownBy(event) };
}

/** What the caller gets. */
function ended(context: Context, event: IoctlEvent, arg: Uint8Array, passed: Passed): Outcome {
  const { ret, answer, done } = passed;
  const after = arg.slice(0, ARG.bytes);
  writeField(after, ARG.status, answer.result.status);
  writeField(after, ARG.reps, done);
  const rule = answer.rule === UNMODELLED ? UNMODELLED : RULE;
  const wanted = !isNull(arg, ARG.output);
  // Linux 6.16 copied the output whatever the call came to.
  const copied = wanted && (ret === 0 || context.profile.kernel === 'upstream-6.16');
  if (!copied) return { ret, out: { arg: after }, rule };
  const data = copiedOutput(context, event, readU32(arg, ARG.outSize), answer.output);
  return { ret, out: { arg: after, data }, rule };
}

/** The driver's partition of a call. */
function partitionOfCall(context: Context, event: IoctlEvent): ObjectId | undefined {
  const named = partitionNamed(event);
  return named === undefined ? undefined : partitionOf(context, named);
}

/** The message of its end is there or has been read; a call that waits for the lock can have it. */
function ready(context: Context, event: IoctlEvent): boolean {
  const id = partitionOfCall(context, event);
  if (id === undefined) return false;
  const caller = callerOf(context, id);
  if (caller !== event.seq) return caller === 0;
  return isCompleted(context, id) || isAnnounced(context, id);
}

/**
 * The end of a call that the hypervisor took: its status stands for that of the call (mshv_async_hvcall_handler). A
 * signal does not end the wait. Where no message tells of the end, the record of the call does. A call that waited for
 * the lock is made now.
 */
function* wake(context: Context, actor: Actor, event: IoctlEvent): DriverRun<Outcome> {
  const id = partitionOfCall(context, event);
  const { arg, in: given } = event;
  const row = arg === undefined ? undefined : hypercalls.find(readU32(arg, ARG.code));
  if (id === undefined || arg === undefined || row === undefined) return { rule: UNMODELLED };
  if (callerOf(context, id) !== event.seq) return yield* enter(context, actor, event, arg, 'partition');
  if (given === undefined) return { rule: UNMODELLED };
  yield* serveMessages(context);
  const told = takeCompleted(context, id);
  const shown = shownBy(event)?.result?.status;
  const status = told ?? shown;
  if (status === undefined) return { rule: RULE };
  if (told === undefined) context.bind('async-call', BigInt(status), 0n);
  setCaller(context, id, 0);
  const finished: HypercallAnswer = { kind: 'hypercall', result: { status, reps: 0 }, rule: RULE };
  const passed = yield* pass(context, actor, askedBy(event, arg, row, given), finished);
  return passed === undefined ? yield* awaited(context, event, id) : ended(context, event, arg, passed);
}

function rowOn(fd: FdKind): IoctlRow {
  return {
    fd,
    name: 'MSHV_ROOT_HVCALL',
    argBytes: ARG.bytes,
    enter: (context, actor, event, arg) => enter(context, actor, event, arg, fd),
    // Only there a call can be one that the hypervisor finishes later.
    ...(fd === 'partition' ? { ready, wake, uninterruptible: true } : {}),
  };
}

/** MSHV_ROOT_HVCALL on each kind of descriptor: a hypercall of the caller's, for a list of calls. */
export const ROOT_HVCALL_IOCTLS: readonly IoctlRow[] = [rowOn('device'), rowOn('partition'), rowOn('vp')];

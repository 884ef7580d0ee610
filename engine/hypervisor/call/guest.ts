import { type ControlWord, partitionProperties } from '../../abi/index.ts';
import type { HypercallAnswer, HypercallRequest } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import type { HypercallEvent } from '../../trace/event.ts';
import type { VpRef } from '../../trace/handle.ts';
import { PROPERTY } from '../cells/partition.ts';
import { cellAt } from '../cells/place.ts';
import { VP } from '../cells/vp.ts';
import { postFrom, signalFrom } from '../host/post.ts';
import { timeOf } from '../partition/reference.ts';
import { expireTimers } from '../synic/expire.ts';
import { PROCESSOR_ANSWERS } from '../vp/broadcast.ts';
import { vpOfRef } from '../vp/find.ts';
import { readOwnRegisters, writeOwnRegisters } from '../vp/own-registers.ts';
import { type CallRow, failed, unmodelledCall } from './call.ts';
import { refusedPointer } from './legality.ts';
import { inputBytes, outputBytes } from './size.ts';
import { STATUS } from './status.ts';

/** A hypercall of a guest whose control word is legal. */
export interface GuestCall {
  readonly context: Context;
  readonly vp: ObjectId;
  readonly control: ControlWord;
  readonly input: Uint8Array;
  readonly event: HypercallRequest | HypercallEvent;
}
type Answer = (call: GuestCall) => HypercallAnswer;

/** Over a connection that somebody made for the guest; doorbells are not called. */
const over =
  (send: typeof postFrom): Answer =>
  (call) => {
    const { store } = call.context;
    const answer = send(call, store.key(store.parent(call.vp)));
    return answer ?? failed(STATUS.INVALID_CONNECTION_ID, 'TLFS.connection.unknown');
  };
/** What a guest may call. What steers partitions is not for it (TLFS 2013, partition privileges). */
const FOR_GUESTS: ReadonlyMap<string, Answer> = new Map([
  ['POST_MESSAGE', over(postFrom)],
  ['SIGNAL_EVENT', over(signalFrom)],
  ...PROCESSOR_ANSWERS,
  ['GET_VP_REGISTERS', readOwnRegisters],
  ['SET_VP_REGISTERS', writeOwnRegisters],
]);

/** What a guest may call that has partitions of its own. */
const FOR_PARENTS: ReadonlySet<string> = new Set([
  'CREATE_PARTITION',
  'INITIALIZE_PARTITION',
  'FINALIZE_PARTITION',
  'DELETE_PARTITION',
  'DEPOSIT_MEMORY',
  'WITHDRAW_MEMORY',
  'CREATE_VP',
  'DELETE_VP',
  'MAP_GPA_PAGES',
  'UNMAP_GPA_PAGES',
  'GET_NEXT_CHILD_PARTITION',
  'GET_MEMORY_BALANCE',
]);
const PRIVILEGES = partitionProperties.number('HV_PARTITION_PROPERTY_PRIVILEGE_FLAGS');
/** Of the upper half of the privilege mask (TLFS, partition privilege flags). */
const CREATE_PARTITIONS = 1;
const ACCESS_PARTITION_ID = 2;

/** The call of a guest whose parent has given it the right to have partitions, which are its children, or to know its id. */
function asParent(
  { store }: Context,
  vp: ObjectId,
  row: string,
  parents: CallRow | undefined,
): Answer | undefined {
  const caller = store.parent(vp);
  const privileges = store.find(caller, PROPERTY, PRIVILEGES);
  const needed = FOR_PARENTS.has(row)
    ? CREATE_PARTITIONS
    : row === 'GET_PARTITION_ID'
      ? ACCESS_PARTITION_ID
      : 0;
  if (privileges === undefined || parents === undefined) return undefined;
  const isAllowed = (store.high(cellAt(privileges, PROPERTY.slots.value)) & needed) !== 0;
  return isAllowed ? (call) => parents.answer({ ...call, caller }) : undefined;
}

/**
 * Whether a guest that calls is heard: it has said who it is (Linux 7.2 arch/x86/kvm/hyperv.c,
 * kvm_hv_hypercall_enabled). A call that comes without having gone through the hypercall page is one all the same.
 */
export function hearsGuest(context: Context, ref: VpRef): boolean {
  const vp = vpOfRef(context, ref);
  if (vp === undefined) return true;
  const identity = cellAt(vp, VP.slots.reg.guestOsId);
  return !context.store.known(identity) || context.store.get(identity) !== 0n;
}

/** The answer to a guest that is not heard: #UD, whatever it calls. */
export function unheardGuest(): HypercallAnswer {
  return { ...failed(STATUS.ACCESS_DENIED, 'KVM.guest.no-guest-os-id'), fault: true };
}

/**
 * A hypercall of a guest whose control word is legal. `row` is its name, `parents` how the hypervisor answers a parent.
 */
export function answerGuestCall(
  context: Context,
  event: HypercallRequest | HypercallEvent,
  control: ControlWord,
  row: string,
  parents: CallRow | undefined,
): HypercallAnswer {
  const vp = event.vp === undefined ? undefined : vpOfRef(context, event.vp);
  if (vp === undefined) return unmodelledCall(event);
  const needed = inputBytes(control);
  const refused =
    refusedPointer(event.inputGpa, needed, context.profile) ??
    refusedPointer(event.outputGpa, outputBytes(control), context.profile);
  if (refused !== undefined) return failed(refused.status, refused.rule);
  const answer = FOR_GUESTS.get(row) ?? asParent(context, vp, row, parents);
  if (answer === undefined)
    return parents === undefined
      ? unmodelledCall(event)
      : failed(STATUS.ACCESS_DENIED, 'TLFS2013.privilege.guest');
  const { input = new Uint8Array(0) } = event;
  if (control.fast && input.length < needed)
    return failed(STATUS.INVALID_HYPERCALL_INPUT, 'TLFS.control.fast-size');
  if (input.length < needed) return unmodelledCall(event);
  const answered = answer({ context, vp, control, input, event });
  const expired = expireTimers(context, vp, timeOf(event));
  return expired.length === 0
    ? answered
    : { ...answered, emitted: [...(answered.emitted ?? []), ...expired] };
}

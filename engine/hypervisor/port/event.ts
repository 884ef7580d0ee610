import { constantNumber } from '../../abi/index.ts';
import type { Emitted, HypercallAnswer } from '../../machine/child.ts';
import type { Context } from '../../machine/context.ts';
import type { ObjectId } from '../../state/store.ts';
import { failed, succeeded } from '../call/call.ts';
import { STATUS } from '../call/status.ts';
import { cellAt } from '../cells/place.ts';
import { PORT } from '../cells/port.ts';
import { interrupt, ownerOf } from '../synic/deliver.ts';
import { FLAG_COUNT, isFlagSet } from '../synic/flags.ts';
import { portBehind, type Receiver, receiverOfPort, SYNIC_OFF } from './target.ts';

const EVENT = constantNumber('HV_PORT_TYPE_EVENT');
const ENABLE = 1;
const MASKED = 1 << 16;
const BAD_FLAG = failed(STATUS.INVALID_PARAMETER, 'TLFS2013.event.flag');

/** SynIC, event page and SINT are on: else no flag is set (TLFS 2013, HvSignalEvent). */
function takesEvents({ store }: Context, { owner, file }: Receiver, sint: number): boolean {
  const { scontrol, siefp, sint: sints } = file.slots;
  const on = store.low(cellAt(owner, scontrol)) & store.low(cellAt(owner, siefp)) & ENABLE;
  return on !== 0 && (store.low(cellAt(owner, sints.first + sint)) & MASKED) === 0;
}

/** What a signal brings about: the flag is set, and an interrupt follows where it was not (TLFS, event flags). */
function setFlag(context: Context, { owner, file }: Receiver, sint: number, flag: number): Emitted[] {
  const to = { kind: 'message', component: 'hypervisor', ...ownerOf(context, owner), sint } as const;
  const set: Emitted = { ...to, what: 'event', flag };
  return isFlagSet(context, owner, file, sint, flag)
    ? [set]
    : [set, ...interrupt(context, owner, file, sint)];
}

/** Signals an event over a connection: a flag of those that belong to the port. */
export function signalOver(context: Context, connection: ObjectId, flag: number): HypercallAnswer {
  const found = portBehind(context, connection, EVENT);
  if ('refused' in found) return failed(found.refused.status, found.refused.rule);
  const { store } = context;
  const { port } = found;
  if (flag >= store.low(cellAt(port, PORT.slots.flagCount))) return BAD_FLAG;
  const sint = store.low(cellAt(port, PORT.slots.sint));
  const receiver = receiverOfPort(context, port, (each) => takesEvents(context, each, sint));
  if (receiver === undefined) return failed(SYNIC_OFF.status, SYNIC_OFF.rule);
  const number = store.low(cellAt(port, PORT.slots.baseFlag)) + flag;
  return succeeded('TLFS2013.port.signal', undefined, setFlag(context, receiver, sint, number));
}

/** The same without a port; says whether the flag was clear before. */
export function signalAt(
  context: Context,
  receiver: Receiver,
  sint: number,
  flag: number,
): HypercallAnswer | { readonly newly: boolean; readonly emitted: readonly Emitted[] } {
  if (flag >= FLAG_COUNT) return BAD_FLAG;
  if (!takesEvents(context, receiver, sint)) return failed(SYNIC_OFF.status, SYNIC_OFF.rule);
  const newly = !isFlagSet(context, receiver.owner, receiver.file, sint, flag);
  return { newly, emitted: setFlag(context, receiver, sint, flag) };
}

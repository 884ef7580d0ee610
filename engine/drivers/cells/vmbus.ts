import { cell, objectKind } from '../../state/schema.ts';
import { VMBUS } from './driver.ts';

/**
 * What became of an offer. `opening`: asked for and not answered; `closed`: was open once, and could be again
 * (Linux 7.2 include/linux/hyperv.h, enum vmbus_channel_state, has one state for offered and closed).
 */
export const CHANNEL_STATES = ['unseen', 'offered', 'opening', 'open', 'closed'] as const;

/** `driver.vmbus.channel[7]`: a channel by its relid, from the offer until its relid is released. */
export const VMBUS_CHANNEL = objectKind('channel', VMBUS, 'decimal', {
  state: cell({ as: 'enum', names: CHANNEL_STATES }),
  /** The host has taken the offer back. */
  rescinded: cell('bool'),
  /** GUIDs of what is offered, and which one it is. */
  interface: cell('bytes'),
  instance: cell('bytes'),
  subChannel: cell('dec'),
  /** Connection that the host is signalled on. */
  connection: cell('hex'),
  /** GPADL of its ring buffer. */
  gpadl: cell('hex'),
  /** VP that it interrupts. */
  targetVp: cell('dec'),
  /** It has been asked to interrupt another VP, and has not answered. */
  moving: cell('bool'),
});

export const GPADL_STATES = ['unseen', 'creating', 'created', 'ending'] as const;

/** `driver.vmbus.gpadl[0xe1e10]`: guest memory that the host may use, from GPADL_HEADER until GPADL_TORNDOWN. */
export const VMBUS_GPADL = objectKind('gpadl', VMBUS, 'hex', {
  /** `ending`: its end was asked for and not answered. */
  state: cell({ as: 'enum', names: GPADL_STATES }),
  channel: cell('dec'),
  /** Bytes of its first range. */
  bytes: cell('hex'),
  /** Page frames that it is to have, and those that have been named. */
  pages: cell('dec'),
  named: cell('dec'),
});

/** `driver.vmbus.timer[0]`: the CPU has its clock events from a timer whose messages go to VMBus' SINT. */
export const VMBUS_TIMER = objectKind('timer', VMBUS, 'decimal', {});

/** `driver.vmbus.connect[1]`: a socket asks for a service of the host, which has not answered. */
export const VMBUS_CONNECT = objectKind('connect', VMBUS, 'decimal', {
  endpoint: cell('bytes'),
  service: cell('bytes'),
});

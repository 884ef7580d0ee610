import { cell, objectKind, singleCellKind } from '../../state/schema.ts';
import { MSHV, MSHV_PARTITION } from './driver.ts';

/** `driver.mshv.partition[2].irqfd[0]`: an eventfd that asserts an interrupt; numbered from 0 upwards. */
export const MSHV_IRQFD = objectKind('irqfd', MSHV_PARTITION, 'decimal', {
  /** Descriptor of the process that gave it. */
  fd: cell('dec'),
  pid: cell('dec'),
  gsi: cell('dec'),
  /** Signalled when the guest has acknowledged a level-triggered interrupt. */
  resample: cell('bool'),
  resampleFd: cell('dec'),
});

/** `driver.mshv.eventfd[0x700000005]`: an eventfd that has been signalled and not read; the key is process * 2^32 + descriptor. */
export const EVENTFD = singleCellKind('eventfd', MSHV, 'hex', 'dec');

/** `driver.mshv.partition[2].doorbell[1]`: an eventfd that a write of the guest signals, by the number of its port. */
export const MSHV_DOORBELL = objectKind('doorbell', MSHV_PARTITION, 'decimal', {
  fd: cell('dec'),
  address: cell('hex'),
  /** Bytes that the write has; 0: any. */
  length: cell('dec'),
  wildcard: cell('bool'),
  match: cell('hex'),
});

import { cell, objectKind } from '../../state/schema.ts';
import { MSHV } from './driver.ts';

/** What the driver knows of a thing that the hypervisor tells it when it is loaded. */
export const CAPABILITIES = ['unknown', 'absent', 'present'] as const;

const capability = () => cell({ as: 'enum', names: CAPABILITIES });

/**
 * `driver.mshv.vtl`: the driver of a kernel in VTL 2 (Linux 7.2 drivers/hv/mshv_vtl_main.c), from the first call on one of
 * its files on.
 */
export const VTL = objectKind('vtl', MSHV, 'none', {
  /** How often each of its files has been opened or made. */
  vtls: cell('dec'),
  sints: cell('dec'),
  hvcalls: cell('dec'),
  lows: cell('dec'),
  registerPage: capability(),
  returnAction: capability(),
  dr6Shared: capability(),
  /** Intercepts come on a page of their own, and not as messages. */
  interceptPage: capability(),
  /** The stream of messages on SINT7 is paused; so it begins. */
  paused: cell('bool', 1n),
});

/** `driver.mshv.vtl.hvcall[1]`: an open /dev/mshv_hvcall, and the hypercalls that it lets through. */
export const VTL_HVCALL = objectKind('hvcall', VTL, 'decimal', {
  /** Descriptors that stand for it. */
  files: cell('dec', 1n),
  isSet: cell('bool'),
  /** A bit for each code. */
  allowed: cell('bytes'),
});

/** `driver.mshv.vtl.eventfd[5]`: what an event flag of SINT7 signals. */
export const VTL_EVENTFD = objectKind('eventfd', VTL, 'decimal', { fd: cell('dec'), pid: cell('dec') });

/** `driver.mshv.vtl.poll[0]`: the file that brings a CPU back from the lower VTL when it has something to read. */
export const VTL_POLL = objectKind('poll', VTL, 'decimal', {
  fd: cell('dec'),
  pid: cell('dec'),
  /** It has something to read: whoever is in the lower VTL on that CPU comes back. */
  cancel: cell('bool'),
});

/** `driver.mshv.vtl.memory[0x100]`: pages of VTL 0 that can be mapped, by the first. */
export const VTL_MEMORY = objectKind('memory', VTL, 'hex', {
  /** The first page behind them. */
  end: cell('pfn'),
});

import { cell, cells, objectKind } from '../../state/schema.ts';

/** The drivers of the kernel; each has an object of its own below. */
export const DRIVER = objectKind('driver', undefined, 'none', {});

/**
 * Whether a driver runs. `unseen`: the trace does not show its start; what has been recorded of it counts all
 * the same.
 */
export const DRIVER_STATES = ['unseen', 'running', 'stopped'] as const;
export type DriverState = (typeof DRIVER_STATES)[number];

const state = () => cell({ as: 'enum', names: DRIVER_STATES });

/** Number of its CPU hotplug state; 0 = none. States come up in this order and go down in reverse. */
const hotplug = () => cell('dec');

/** The kernel's own use of the hypervisor (Linux 7.2 arch/x86/hyperv). */
export const ARCH = objectKind('arch', DRIVER, 'none', {
  state: state(),
  hotplug: hotplug(),
  /** Somebody wants to hear when the frequency of the TSC changes by a migration. */
  reenlightenment: cell('bool'),
});

export const ARCH_CPU = objectKind('cpu', ARCH, 'decimal', { assist: cell('pfn') });

export const CONNECTIONS = ['disconnected', 'connecting', 'connected'] as const;

export const OFFERS = ['none', 'requested', 'delivered'] as const;

/** VMBus (Linux 7.2 drivers/hv: vmbus_drv.c, connection.c, hv.c). */
export const VMBUS = objectKind('vmbus', DRIVER, 'none', {
  state: state(),
  hotplug: hotplug(),
  connection: cell({ as: 'enum', names: CONNECTIONS }),
  /** Protocol that it last asked for, and the one that was agreed on. */
  requested: cell('hex'),
  version: cell('hex'),
  /** Connection that it posts messages on. */
  messageConnection: cell('dec'),
  /** It has posted UNLOAD and waits for the response. */
  unloading: cell('bool'),
  /** It has asked for the host's offers; the host has said that there are no more. */
  offers: cell({ as: 'enum', names: OFFERS }),
});

/** Its pages on a CPU, kept while the driver runs. */
export const VMBUS_CPU = objectKind('cpu', VMBUS, 'decimal', { simp: cell('pfn'), siefp: cell('pfn') });

/** mshv, the driver of a parent partition (Linux 7.2 drivers/hv: mshv_root_main.c, mshv_synic.c). */
export const MSHV = objectKind('mshv', DRIVER, 'none', {
  state: state(),
  hotplug: hotplug(),
  /** Hotplug state of the root scheduler's pages; 0 = none. */
  schedulerHotplug: hotplug(),
  notifier: cell('bool'),
  /** Type that the hypervisor named (Linux 7.2 hvhdk: enum hv_scheduler_type); 0 = not asked. */
  scheduler: cell('dec'),
  capabilities: cell('hex'),
  /** How often the device has been opened. */
  opens: cell('dec'),
  /** The hypervisor's statistics are shown under debugfs. */
  debugfs: cell('bool'),
});

/** `driver.mshv.statistics[0]`: those of an own VP, by CPU, while they are shown. */
export const MSHV_STATISTICS = objectKind('statistics', MSHV, 'decimal', {
  /** The parent's are on a page of their own. */
  parent: cell('bool'),
});

/** Its event ring page on a CPU, where it allocates one itself. */
export const MSHV_CPU = objectKind('cpu', MSHV, 'decimal', { sirbp: cell('pfn') });

/** A partition as the driver keeps it. */
export const MSHV_PARTITION = objectKind('partition', MSHV, 'decimal', {
  initialized: cell('bool'),
  /** The partition's file counts as one, each VP's as one more; at 0 it is torn down. */
  references: cell('dec'),
  /** Descriptors open on the partition's file. */
  files: cell('dec'),
  /** The call that created it. */
  creator: cell('dec'),
  /** Its statistics are shown under debugfs, the parent's on a page of their own. */
  statistics: { shown: cell('bool'), parent: cell('bool') },
  /**
   * The call that waits for the hypervisor to finish it (its event; 0: none) and keeps the lock; one has been finished, with this
   * status, and nobody has asked.
   */
  late: { caller: cell('dec'), completed: cell('bool'), status: cell() },
});

/** Types of state of a VP (Linux 7.2 uapi linux/mshv.h: MSHV_VP_STATE_COUNT). */
const STATE_TYPES = 5;

/** `signal`: of the hypervisor's scheduler; `guest`: what the guest that runs now will do. */
export const SCHEDULER_WAITS = ['nothing', 'signal', 'guest'] as const;

/** A VP as the driver keeps it. */
export const MSHV_VP = objectKind('vp', MSHV_PARTITION, 'decimal', {
  files: cell('dec'),
  creator: cell('dec'),
  /** State as it was last given or taken (MSHV_SET_VP_STATE, MSHV_GET_VP_STATE), by type. */
  given: cells(STATE_TYPES, () => ({ as: 'bytes' })),
  /** Types of state that the guest has not had a chance to change since, a bit each. */
  certain: cell('hex'),
  /** The hypervisor has told that it stopped, and no call has taken the message yet. */
  kicked: cell('bool'),
  /** The root partition schedules it: */
  scheduler: {
    /** its last dispatch was answered BLOCKED, and no signal has come since; */
    blocked: cell('bool'),
    /** its last dispatch ended with an intercept, whose suspension the next one lifts; */
    intercept: cell('bool'),
    /** what the call that runs it waits for; */
    waits: cell({ as: 'enum', names: SCHEDULER_WAITS }),
    /** signals that have come for it. */
    signals: cell('dec'),
  },
  /** The call on it waits for a message that one before did not take (the RFC of 2020). */
  missed: cell('bool'),
  /** Its message, where the slot of the SynIC had it as a whole. */
  message: cell('bytes'),
  /** The parent's statistics are on a page of their own. */
  parentStats: cell('bool'),
});

/** `driver.mshv.partition[2].route[5]`: the message that an interrupt line stands for. */
export const MSHV_ROUTE = objectKind('route', MSHV_PARTITION, 'decimal', { address: cell(), data: cell() });

/** `driver.mshv.open[1]`: an open device of the RFC of 2020, which wants its version asked for first. */
export const MSHV_OPEN = objectKind('open', MSHV, 'decimal', { version: cell('bool') });

/** What backs a region of guest memory (Linux 7.2 drivers/hv/mshv_root.h, enum mshv_region_type). */
export const REGION_KINDS = ['none', 'pinned', 'movable', 'mmio'] as const;
export type RegionKind = (typeof REGION_KINDS)[number];

/** Guest memory that a process gave a partition, by the first guest page frame. */
export const MSHV_REGION = objectKind('region', MSHV_PARTITION, 'hex', {
  pages: cell('dec'),
  address: cell('hex'),
  kind: cell({ as: 'enum', names: REGION_KINDS }),
  /** Its pages are of 2 MiB. */
  large: cell('bool'),
  /** Flags that its pages are mapped with once they are there (HV_MAP_GPA_…). */
  flags: cell('hex'),
  /** The process whose memory it is. */
  pid: cell('dec'),
});

/** Pages of a movable region that have been touched and are there, by the first guest page frame. */
export const MSHV_PRESENT = objectKind('present', MSHV_REGION, 'hex', {
  pages: cell('dec'),
  /** They are of 2 MiB. */
  large: cell('bool'),
});

/** Pages of a movable region whose process has no memory there any more, by the first guest page frame. */
export const MSHV_GONE = objectKind('gone', MSHV_REGION, 'hex', {
  pages: cell('dec'),
});

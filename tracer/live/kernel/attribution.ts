import type { Component } from '../../../engine/trace/event.ts';

/** Whose a function is, by how its name begins. The first row that fits a frame decides, from the innermost frame on. */
const OWNERS: readonly (readonly [prefix: string, owner: Component])[] = [
  ['hv_stimer', 'timer'],
  ['hv_synic_', 'vmbus'],
  ['hv_hyp_synic_', 'vmbus'],
  ['hv_kexec_handler', 'vmbus'],
  ['hv_crash_handler', 'vmbus'],
  ['vmbus_', 'vmbus'],
  ['hv_vmbus_', 'vmbus'],
  ['mshv_', 'mshv'],
];

/**
 * Whose access it is, by the functions that led to it, innermost first (Linux 7.2 drivers/hv and drivers/clocksource name theirs so).
 * What belongs to none of the drivers is the architecture's code.
 */
export function componentOf(functions: readonly (string | undefined)[]): Component {
  for (const name of functions) {
    const owner = OWNERS.find(([prefix]) => name?.startsWith(prefix) === true)?.[1];
    if (owner !== undefined) return owner;
  }
  return 'arch';
}

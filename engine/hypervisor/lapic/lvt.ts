/** Entries of the local vector table, by their place in the cells and in hv_local_interrupt_controller_state. */
export const LVT = { timer: 0, thermal: 1, performance: 2, lint0: 3, lint1: 4, error: 5, cmci: 6 } as const;
export const LVT_MASKED = 1 << 16;
/** Bits that each entry has (Intel SDM 3, figure 12-8); the TSC deadline of the timer is not offered. */
export const LVT_BITS: readonly number[] = [0x300ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff, 0x107ff];

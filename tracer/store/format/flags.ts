/**
 * Bits of `event.flags`. Most say that an optional field was recorded, so that 0 in a column can also be a
 * value; docs/format.md lists which kinds use which.
 */
export const PROVENANCE_MASK = 3;
/** msr: a write, not a read. */
export const WRITE = 1 << 2;
/** `value` holds something. */
export const VALUE = 1 << 3;
/** `result` holds something. */
export const RESULT = 1 << 4;
/** The call never returned, or has not returned yet (`ret: null`). */
export const OPEN = 1 << 5;
/** It was recorded whether it faulted. */
export const FAULT_KNOWN = 1 << 6;
export const FAULT = 1 << 7;
/** `dur` holds the time from entry to return. */
export const END = 1 << 8;
/** ioctl: what the call wrote back was recorded, be it nothing. */
export const OUT = 1 << 9;
/** msr: it was recorded whether the access was to the nested register. */
export const NESTED_KNOWN = 1 << 10;
export const NESTED = 1 << 11;
/**
 * A second small number, one more than its index, 0 for none: dialect of an ioctl, kind of a page, reason of a
 * dropped message, failing step of a life cycle.
 */
export const SUB_SHIFT = 12;
export const SUB_MASK = 0xf;
/** life cycle and marks: 0 none, 1 begin, 2 end. */
export const PHASE_SHIFT = 16;
export const PHASE_MASK = 3;
/** No other bits are set. */
export const ALL_FLAGS = (1 << 18) - 1;

/** Payloads up to here stand in the event's row; longer ones, and those seen twice, in `blob`. */
export const MAX_INLINE_BYTES = 48;
/** Longest payload of one event: a bit map of a 1 TiB guest's pages has 32 MiB. */
export const MAX_PAYLOAD_BYTES = 32 * 1024 * 1024;

/** The hypercall result value (TLFS): status in the low half, elements completed from bit 32 on. */
export const RESULT_REPS = 0x1_0000_0000;

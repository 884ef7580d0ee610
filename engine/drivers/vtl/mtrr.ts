import { registers } from '../../abi/index.ts';

/** Variable ranges that the driver knows, 0 to F. */
const RANGES = 16;
/** Intel SDM 4, IA32_MTRR_PHYSBASE0; a mask follows each base. */
const PHYS_BASE0 = 0x200;
/** Fixed ranges (Intel SDM 4, IA32_MTRR_FIX…). */
const FIXED = {
  FIX64K00000: 0x250,
  FIX16K80000: 0x258,
  FIX16KA0000: 0x259,
  FIX4KC0000: 0x268,
  FIX4KC8000: 0x269,
  FIX4KD0000: 0x26a,
  FIX4KD8000: 0x26b,
  FIX4KE0000: 0x26c,
  FIX4KE8000: 0x26d,
  FIX4KF0000: 0x26e,
  FIX4KF8000: 0x26f,
} as const;

function* rows(): Generator<readonly [string, number]> {
  yield ['CAP', 0xfe];
  yield ['DEF_TYPE', 0x2ff];
  for (let i = 0; i < RANGES; i++) {
    const digit = i.toString(16).toUpperCase();
    yield [`PHYS_BASE${digit}`, PHYS_BASE0 + 2 * i];
    yield [`PHYS_MASK${digit}`, PHYS_BASE0 + 2 * i + 1];
  }
  yield* Object.entries(FIXED);
}

/** MSRs of the memory types by the name of their register (Linux 7.2 drivers/hv/mshv_vtl_main.c, reg_table). */
export const MTRR_MSRS: ReadonlyMap<number, number> = new Map(
  Array.from(rows(), ([name, msr]) => [registers.number(`MSR_MTRR_${name}`), msr]),
);

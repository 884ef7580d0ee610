import type { StructTable } from '../../layout/table.ts';
import { ADDED_STRUCTS } from './additions.ts';
import { GUEST_STRUCTS } from './guest.ts';
import { INTERCEPTS_STRUCTS } from './intercepts.ts';
import { INTERRUPTS_STRUCTS } from './interrupts.ts';
import { ISOLATION_STRUCTS } from './isolation.ts';
import { MEMORY_STRUCTS } from './memory.ts';
import { MSHV_DOM0_LEGACY_STRUCTS } from './mshv-dom0-legacy.ts';
import { MSHV_RFC2020_STRUCTS } from './mshv-rfc2020.ts';
import { MSHV_RUST_VMM_STRUCTS } from './mshv-rust-vmm.ts';
import { MSHV_UPSTREAM_STRUCTS } from './mshv-upstream.ts';
import { MSHV_VTL_STRUCTS } from './mshv-vtl.ts';
import { NESTED_STRUCTS } from './nested.ts';
import { PARTITION_STRUCTS } from './partition.ts';
import { PORTS_STRUCTS } from './ports.ts';
import { REGISTERS_STRUCTS } from './registers.ts';
import { SYNIC_STRUCTS } from './synic.ts';
import { SYSTEM_STRUCTS } from './system.ts';
import { VP_STRUCTS } from './vp.ts';

/** Every struct of the ABI, by subject; what the headers lack comes last. */
export const STRUCT_TABLES: readonly StructTable[] = [
  ...MSHV_UPSTREAM_STRUCTS,
  ...MSHV_VTL_STRUCTS,
  ...MSHV_RFC2020_STRUCTS,
  ...MSHV_RUST_VMM_STRUCTS,
  ...MSHV_DOM0_LEGACY_STRUCTS,
  ...PARTITION_STRUCTS,
  ...MEMORY_STRUCTS,
  ...VP_STRUCTS,
  ...REGISTERS_STRUCTS,
  ...INTERCEPTS_STRUCTS,
  ...INTERRUPTS_STRUCTS,
  ...SYNIC_STRUCTS,
  ...PORTS_STRUCTS,
  ...GUEST_STRUCTS,
  ...NESTED_STRUCTS,
  ...SYSTEM_STRUCTS,
  ...ISOLATION_STRUCTS,
  ...ADDED_STRUCTS,
];

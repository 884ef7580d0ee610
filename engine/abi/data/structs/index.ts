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
import { VMBUS_STRUCTS } from './vmbus.ts';
import { VP_STRUCTS } from './vp.ts';

/** Structs that belong together. */
export interface StructSubject {
  /** Name of its reference page. */
  readonly name: string;
  readonly title: string;
  readonly tables: readonly StructTable[];
}

/** Every struct of the ABI, by subject; what the headers lack comes last. */
export const STRUCT_SUBJECTS: readonly StructSubject[] = [
  { name: 'mshv-upstream', title: 'Arguments of the upstream mshv ioctls', tables: MSHV_UPSTREAM_STRUCTS },
  { name: 'mshv-vtl', title: 'Arguments of the VTL driver’s ioctls', tables: MSHV_VTL_STRUCTS },
  { name: 'mshv-rfc2020', title: 'Arguments of the 2020 RFC ioctls', tables: MSHV_RFC2020_STRUCTS },
  {
    name: 'mshv-rust-vmm',
    title: 'Arguments of the further ioctls that rust-vmm knows',
    tables: MSHV_RUST_VMM_STRUCTS,
  },
  {
    name: 'mshv-dom0-legacy',
    title: 'Arguments of the out-of-tree dom0 ioctls',
    tables: MSHV_DOM0_LEGACY_STRUCTS,
  },
  { name: 'partition', title: 'Partitions and their properties', tables: PARTITION_STRUCTS },
  {
    name: 'memory',
    title: 'Memory pools, GPA mapping, TLB flushes, access to guest memory',
    tables: MEMORY_STRUCTS,
  },
  { name: 'vp', title: 'Virtual processors and their state', tables: VP_STRUCTS },
  { name: 'registers', title: 'Values of VP registers', tables: REGISTERS_STRUCTS },
  {
    name: 'intercepts',
    title: 'Intercepts: installing them, their messages, their results',
    tables: INTERCEPTS_STRUCTS,
  },
  { name: 'interrupts', title: 'Interrupt assertion, IPIs, device interrupts', tables: INTERRUPTS_STRUCTS },
  { name: 'synic', title: 'SynIC registers, pages, messages that are not intercepts', tables: SYNIC_STRUCTS },
  { name: 'ports', title: 'Ports, connections, messages and events sent over them', tables: PORTS_STRUCTS },
  { name: 'vmbus', title: 'Channel messages of VMBus', tables: VMBUS_STRUCTS },
  {
    name: 'guest',
    title: 'What a guest shares with the hypervisor through synthetic MSRs',
    tables: GUEST_STRUCTS,
  },
  { name: 'nested', title: 'Nested virtualisation: enlightened VMCS and VMCB', tables: NESTED_STRUCTS },
  {
    name: 'system',
    title: 'System properties, statistics, logical processors, sleep, crash dump',
    tables: SYSTEM_STRUCTS,
  },
  { name: 'isolation', title: 'Isolated (SEV-SNP) partitions', tables: ISOLATION_STRUCTS },
  { name: 'additions', title: 'Buffers that the headers give no struct', tables: ADDED_STRUCTS },
];

/** The one public face of the guest processor. */
export { type CpuidResult, GuestCpu, type Injection } from './cpu.ts';
export type {
  BudgetExit,
  CpuExit,
  CpuidExit,
  HaltExit,
  HypercallExit,
  InterruptWindowExit,
  IoExit,
  MemoryAccess,
  MemoryExit,
  ReadMsrExit,
  ShutdownExit,
  UnsupportedExit,
  WriteMsrExit,
} from './exits.ts';
export {
  type DevicePage,
  EXECUTE,
  type GuestMemory,
  type GuestPage,
  PAGE_BYTES,
  READ,
  WRITE,
} from './guest-memory.ts';
export { isProcessorRegister } from './hypervisor-registers.ts';

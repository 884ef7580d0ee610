import { constantNumber, fieldOf, type IoctlRow, readU32, readU64 } from '../../../engine/abi/index.ts';

const UPSTREAM = {
  size: fieldOf('mshv_user_mem_region', 'size'),
  page: fieldOf('mshv_user_mem_region', 'guest_pfn'),
  address: fieldOf('mshv_user_mem_region', 'userspace_addr'),
  flags: fieldOf('mshv_user_mem_region', 'flags'),
};
/** The first three fields are the same. */
const RFC = { ...UPSTREAM, flags: fieldOf('rfc2020_mshv_user_mem_region', 'flags') };
const UNMAP = constantNumber('MSHV_SET_MEM_BIT_UNMAP');
const ARGUMENT_BYTES = 32;

/** A call by which the program gives memory to its guest, or takes it back. */
export interface MemoryCall {
  readonly gives: boolean;
  readonly page: number;
  readonly size: number;
  readonly address: number;
}

/** What a call does with guest memory; undefined for all others. */
export function memoryCall(row: IoctlRow | undefined, arg: Uint8Array | undefined): MemoryCall | undefined {
  if (row === undefined || arg === undefined || arg.length < ARGUMENT_BYTES) return undefined;
  const isUpstream = row.name === 'MSHV_SET_GUEST_MEMORY';
  const maps = row.name === 'MSHV_MAP_GUEST_MEMORY';
  if (!isUpstream && !maps && row.name !== 'MSHV_UNMAP_GUEST_MEMORY') return undefined;
  const fields = isUpstream ? UPSTREAM : RFC;
  return {
    gives: isUpstream ? (readU32(arg, fields.flags) & UNMAP) === 0 : maps,
    page: Number(readU64(arg, fields.page)),
    size: Number(readU64(arg, fields.size)),
    address: Number(readU64(arg, fields.address)),
  };
}

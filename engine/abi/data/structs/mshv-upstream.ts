import { structTable } from '../../layout/table.ts';

/** Arguments of the upstream mshv ioctls. Format: ./README.md. */
export const MSHV_UPSTREAM_STRUCTS = [
  structTable(
    'Linux 7.2.13 uapi linux/mshv.h',
    `
struct mshv_create_partition 16
  0 pt_flags u64 @mshvPartitionFlags
  8 pt_isolation u64 @mshvIsolationTypes
struct mshv_create_partition_v2 64
  0 pt_flags u64 @mshvPartitionFlags
  8 pt_isolation u64 @mshvIsolationTypes
  16 pt_num_cpu_fbanks u16
  18 pt_rsvd u8[6]
  24 pt_cpu_fbanks u64[2]
  40 pt_rsvd1 u64[2]
  56 pt_disabled_xsave u64
struct mshv_create_vp 4
  0 vp_index u32 vp
struct mshv_user_mem_region 32
  0 size u64
  8 guest_pfn u64 pfn
  16 userspace_addr u64 gva
  24 flags u8 @mshvMemoryFlags
  25 rsvd u8[7]
struct mshv_user_irqfd 16
  0 fd s32 fd
  4 resamplefd s32 fd
  8 gsi u32
  12 flags u32 @mshvIrqfdFlags
struct mshv_user_ioeventfd 32
  0 datamatch u64
  8 addr u64 gpa
  16 len u32
  20 fd s32 fd
  24 flags u32 @mshvIoeventfdFlags
  28 rsvd u8[4]
struct mshv_user_irq_entry 16
  0 gsi u32
  4 address_lo u32 hex
  8 address_hi u32 hex
  12 data u32 hex
struct mshv_user_irq_table 8
  0 nr u32
  4 rsvd u32
  8 entries mshv_user_irq_entry[]
struct mshv_gpap_access_bitmap 32
  0 access_type u8 @mshvGpapAccessTypes
  1 access_op u8 @mshvGpapAccessOps
  2 rsvd u8[6]
  8 page_count u64 dec
  16 gpap_base u64 pfn
  24 bitmap_ptr u64 gva
struct mshv_root_hvcall 32
  0 code u16 @hypercalls
  2 reps u16
  4 in_sz u16
  6 out_sz u16
  8 status u16 @statuses
  10 rsvd u8[6]
  16 in_ptr u64 gva
  24 out_ptr u64 gva
struct mshv_run_vp 256
  0 msg_buf u8[256]
struct mshv_get_set_vp_state 16
  0 type u8 @mshvVpStateTypes
  1 rsvd u8[3]
  4 buf_sz u32
  8 buf_ptr u64 gva
`,
  ),
];

import { structTable } from '../../layout/table.ts';

/** Arguments of the VTL driver’s ioctls. Format: ./README.md. */
export const MSHV_VTL_STRUCTS = [
  structTable(
    'Linux 7.2.13 uapi linux/mshv.h',
    `
struct mshv_vp_registers 16
  0 count u32
  4 reserved u32
  8 regs_ptr u64 gva
struct mshv_vtl_set_eventfd 8
  0 fd s32 fd
  4 flag u32
struct mshv_vtl_signal_event 8
  0 connection_id u32
  4 flag u32
struct mshv_vtl_sint_post_msg 24
  0 message_type u64 @messageTypes
  8 connection_id u32
  12 payload_size u32
  16 payload_ptr u64 gva
struct mshv_vtl_ram_disposition 16
  0 start_pfn u64 pfn
  8 last_pfn u64 pfn
struct mshv_vtl_set_poll_file 8
  0 cpu u32
  4 fd u32 fd
struct mshv_vtl_hvcall_setup 16
  0 bitmap_array_size u64 dec
  8 allow_bitmap_ptr u64 gva
struct mshv_vtl_hvcall 48
  0 control u64
  8 input_size u64 dec
  16 input_ptr u64 gva
  24 status u64
  32 output_size u64 dec
  40 output_ptr u64 gva
struct mshv_sint_mask 8
  0 mask u8 hex
  1 reserved u8[7]
`,
  ),
];

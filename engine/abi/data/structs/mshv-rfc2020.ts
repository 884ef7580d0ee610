import { structTable } from '../../layout/table.ts';

/** Arguments of the 2020 RFC ioctls. Format: ./README.md. */
export const MSHV_RFC2020_STRUCTS = [
  structTable(
    'RFC patches of 2020 (linux-hyperv), layouts compiled',
    `
union rfc2020_hv_partition_processor_features 16
  0 as_uint64 u64[2]
struct rfc2020_hv_partition_creation_properties 24
  0 disabled_processor_features u64[2]
  16 disabled_processor_xsave_features u64
struct rfc2020_mshv_create_partition 40
  0 flags u64 @partitionCreationFlags
  8 disabled_processor_features u64[2]
  24 disabled_processor_xsave_features u64
  32 synthetic_processor_features u64[1]
struct rfc2020_mshv_user_mem_region 32
  0 size u64
  8 guest_pfn u64 pfn
  16 userspace_addr u64 gva
  24 flags u32 @mapGpaFlags
struct rfc2020_mshv_create_vp 4
  0 vp_index u32 vp
struct rfc2020_mshv_vp_registers 24
  0 count s32
  8 names *void @registers
  16 values *void
struct rfc2020_mshv_install_intercept 16
  0 access_type_mask u32 @interceptAccessMasks
  4 intercept_type u32 @interceptTypes
  8 intercept_parameter u64
struct rfc2020_mshv_assert_interrupt 24
  0 control u64
  8 dest_addr u64
  16 vector u32 hex
struct rfc2020_mshv_vp_state 40
  0 type u32 @vpStateTypes
  8 xsave struct(16)
    8 flags u64
    16 states u64
  24 buf_size u64 dec
  32 buf *void
struct rfc2020_mshv_partition_property 16
  0 property_code u32 @partitionProperties
  8 property_value u64
struct rfc2020_hv_message 256 message
  0 message_type u32 @messageTypes
  4 payload_size u8
  5 message_flags u8
  6 reserved u8[2]
  8 sender u64
  16 payload u64[30] bytes
`,
  ),
];

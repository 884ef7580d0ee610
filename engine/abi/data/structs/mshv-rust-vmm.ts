import { structTable } from '../../layout/table.ts';

/** Arguments of the further ioctls that rust-vmm knows. Format: ./README.md. */
export const MSHV_RUST_VMM_STRUCTS = [
  structTable(
    'rust-vmm/mshv 1032a5d, layout asserts of the x86_64 bindings',
    `
struct mshv_install_intercept 16
  0 access_type_mask u32 @interceptAccessMasks
  4 intercept_type u32 @interceptTypes
  8 intercept_parameter hv_intercept_parameters
struct mshv_assert_interrupt 24
  0 control hv_interrupt_control
  8 dest_addr u64
  16 vector u32 hex
  20 rsvd u32
struct mshv_translate_gva 32
  0 gva u64 gva
  8 flags u64 @translateGvaFlags
  16 result *hv_translate_gva_result
  24 gpa *u64 gpa
struct mshv_register_intercept_result 48
  0 intercept_type u32 @interceptTypes
  4 parameters hv_register_intercept_result_parameters
struct mshv_signal_event_direct 12
  0 vp u32
  4 vtl u8
  5 sint u8
  6 flag u16
  8 newly_signaled u8
struct mshv_post_message_direct 16
  0 vp u32
  4 vtl u8
  5 sint u8
  6 length u16
  8 message *u8
struct mshv_register_deliverabilty_notifications 16
  0 vp u32
  4 pad u32
  8 flag u64
struct mshv_get_vp_cpuid_values 40
  0 function u32
  4 index u32
  8 xfem u64
  16 xss u64
  24 eax u32 hex
  28 ebx u32 hex
  32 ecx u32 hex
  36 edx u32 hex
struct mshv_read_write_gpa 32
  0 base_gpa u64 gpa
  8 byte_count u32
  12 flags u32
  16 data u8[16]
struct mshv_sev_snp_ap_create 16
  0 vp_id u64
  8 vmsa_gpa u64 gpa
struct mshv_issue_psp_guest_request 16
  0 req_gpa u64 gpa
  8 rsp_gpa u64 gpa
struct mshv_complete_isolated_import 3334
  0 import_data hv_partition_complete_isolated_import_data
struct mshv_vtl_capabilities 8
  0 bits u64
struct mshv_partition_property 16
  0 property_code u64 @partitionProperties
  8 property_value u64
struct mshv_modify_gpa_host_access 16
  0 flags u8
  1 rsvd u8[7]
  8 page_count u64 dec
  16 guest_pfns u64[] pfn
struct mshv_import_isolated_pages 16
  0 page_type u8
  1 rsvd u8[7]
  8 page_count u64 dec
  16 guest_pfns u64[] pfn
struct mshv_create_device 12
  0 type_ u32
  4 fd u32 fd
  8 flags u32
struct mshv_device_attr 24
  0 flags u32
  4 group u32
  8 attr u64
  16 addr u64
struct mshv_trace_config 32
  0 mode u32
  4 max_buffers_count u32
  8 pages_per_buffer u32
  12 buffers_threshold u32
  16 time_basis u32
  24 system_time u64
`,
  ),
];

import { structTable } from '../../layout/table.ts';

/** Buffers that the headers give no struct. Format: ./README.md. */
export const ADDED_STRUCTS = [
  structTable(
    'Linux 7.2.13: arguments that are a bare integer',
    `
struct u32 4 integer
  0 value u32
struct char 1 integer
  0 value u8
`,
  ),
  structTable(
    'Linux 7.2.13 drivers/hv/mshv_root_hv_call.c',
    `
struct hv_input_clear_virtual_interrupt 8
  0 partition_id u64 partition
struct hv_output_get_gpa_pages_access_states 0
  0 states hv_gpa_page_access_state[]
`,
  ),
  structTable(
    'rust-vmm/mshv 1032a5d: one element for each leaf asked for',
    `
struct hv_output_get_vp_cpuid_values_list 0
  0 values hv_output_get_vp_cpuid_values[]
`,
  ),
  structTable(
    'Linux 7.2.13 arch/x86/hyperv, hv_apicid_to_vp_index',
    `
struct hv_output_get_vp_from_apic_id 0
  0 vp_indexes u32[] vp
`,
  ),
  structTable(
    'TLFS: HvCallGetNextChildPartition, HvCallGetMemoryBalance',
    `
struct hv_input_get_next_child_partition 16
  0 parent_partition_id u64 partition
  8 previous_child_partition_id u64 partition
struct hv_input_get_memory_balance 16
  0 partition_id u64 partition
  8 proximity_domain_info hv_proximity_domain_info
struct hv_output_get_memory_balance 16
  0 pages_available u64
  8 pages_in_use u64
`,
  ),
  structTable(
    'OpenVMM vm/hv1/hvdef; TLFS HvCallModifyVtlProtectionMask',
    `
struct hv_input_modify_vtl_protection_mask 16
  0 partition_id u64 partition
  8 map_flags u32 @mapGpaFlags
  12 target_vtl hv_input_vtl
  13 reserved u8[3]
  16 gpa_page_list u64[] pfn
struct hv_input_accept_gpa_pages 24
  0 partition_id u64 partition
  8 - u32
    [0..5] memory_type
    [6..7] host_visibility
    [8..10] vtl_set
    [11..31] reserved
  12 vtl_permission_set u16[2] hex
  16 gpa_page_base u64 pfn
`,
  ),
  structTable(
    'buffers behind pointers of an ioctl argument, one after the other',
    `
struct mshv_register_names 0
  0 names u32[] @registers
struct mshv_register_elements 0
  0 elements hv_register_assoc[]
struct mshv_gva_translation 16
  0 result hv_translate_gva_result
  8 gpa u64 gpa
`,
  ),
];

import { structTable } from '../../layout/table.ts';

/** Memory pools, GPA mapping, TLB flushes, access to guest memory. Format: ./README.md. */
export const MEMORY_STRUCTS = [
  structTable(
    'Linux 7.2.13 include/hyperv',
    `
struct hv_vpset 16
  0 format u64 @genericSetFormats
  8 valid_bank_mask u64
  16 bank_contents u64[]
struct hv_guest_mapping_flush 16
  0 address_space u64
  8 flags u64 @flushFlags
union hv_gpa_page_range 8
  0 page struct(8)
    0 - u64
      [0..10] additional_pages
      [11] largepage
      [12..63] basepfn pfn
  0 ~address_space u64
  0 ~- u64
    [0..11] ~reserved
    [12] ~page_size
    [13..20] ~reserved1
    [21..63] ~base_large_pfn pfn
struct hv_guest_mapping_flush_list 4096
  0 address_space u64
  8 flags u64 @flushFlags
  16 gpa_list hv_gpa_page_range[510] gpa
struct hv_tlb_flush 24
  0 address_space u64
  8 flags u64 @flushFlags
  16 processor_mask u64
  24 gva_list u64[] gva
struct hv_tlb_flush_ex 32
  0 address_space u64
  8 flags u64 @flushFlags
  16 hv_vp_set hv_vpset
  16 ~__offset_to_bank_contents u8[16]
  32 gva_list u64[] gva
struct hv_gpa_range_for_visibility 4096
  0 partition_id u64 partition
  8 - u32
    [0..1] host_visibility
    [2..31] reserved0
  12 reserved1 u32
  16 gpa_page_list u64[510] pfn
struct hv_mmio_read_input 16
  0 gpa u64 gpa
  8 size u32
  12 reserved u32
struct hv_mmio_read_output 64
  0 data u8[64]
struct hv_mmio_write_input 80
  0 gpa u64 gpa
  8 size u32
  12 reserved u32
  16 data u8[64]
union hv_pfn_range 8
  0 ~as_uint64 u64
    [0..39] base_pfn pfn
    [40..63] add_pfns
struct hv_proximity_domain_flags 4
  0 - u32
    [0] proximity_preferred
    [1..30] reserved
    [31] proximity_info_valid
struct hv_proximity_domain_info 8
  0 domain_id u32
  4 flags hv_proximity_domain_flags
struct hv_deposit_memory 8
  0 partition_id u64 partition
  8 gpa_page_list u64[] pfn
struct hv_input_withdraw_memory 16
  0 partition_id u64 partition
  8 proximity_domain_info hv_proximity_domain_info
struct hv_output_withdraw_memory 0
  0 gpa_page_list u64[] pfn
struct hv_input_map_gpa_pages 24
  0 target_partition_id u64 partition
  8 target_gpa_base u64 pfn
  16 map_flags u32 @mapGpaFlags
  20 padding u32
  24 source_gpa_page_list u64[] pfn
union hv_gpa_page_access_state_flags 8
  0 ~as_uint64 u64
    [0] clear_accessed
    [1] set_accessed
    [2] clear_dirty
    [3] set_dirty
    [4..63] reserved
struct hv_input_get_gpa_pages_access_state 24
  0 partition_id u64 partition
  8 flags hv_gpa_page_access_state_flags
  16 hv_gpa_page_number u64 pfn
union hv_gpa_page_access_state 1
  0 ~as_uint8 u8
    [0] accessed
    [1] dirty hex
    [2..7] reserved
struct hv_memory_hint 8
  0 - u64
    [0..1] heat_type
    [2..63] reserved
  8 ranges hv_gpa_page_range[]
struct hv_input_unmap_gpa_pages 24
  0 target_partition_id u64 partition
  8 target_gpa_base u64 pfn
  16 unmap_flags u32 @unmapGpaFlags
  20 padding u32
struct hv_input_modify_sparse_spa_page_host_access 16
  0 - u32
    [0..1] host_access
    [2..31] reserved
  4 flags u32 @modifySpaHostAccessFlags
  8 partition_id u64 partition
  16 spa_page_list u64[] pfn
`,
  ),
  structTable(
    'rust-vmm/mshv 1032a5d, hv-headers',
    `
union hv_access_gpa_result 8
  0 ~as_uint64 u64
  0 result_code u32 @accessGpaResultCodes
  4 reserved u32
union hv_access_gpa_control_flags 8
  0 ~as_uint64 u64
    [0..7] cache_type
    [8..63] reserved
struct hv_input_read_gpa 32
  0 partition_id u64 partition
  8 vp_index u32 vp
  12 byte_count u32
  16 base_gpa u64 gpa
  24 control_flags hv_access_gpa_control_flags
struct hv_output_read_gpa 24
  0 access_result hv_access_gpa_result
  8 data u8[16]
struct hv_input_write_gpa 48
  0 partition_id u64 partition
  8 vp_index u32 vp
  12 byte_count u32
  16 base_gpa u64 gpa
  24 control_flags hv_access_gpa_control_flags
  32 data u8[16]
struct hv_output_write_gpa 8
  0 access_result hv_access_gpa_result
`,
  ),
];

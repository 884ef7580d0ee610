import { structTable } from '../../layout/table.ts';

/** Isolated (SEV-SNP) partitions. Format: ./README.md. */
export const ISOLATION_STRUCTS = [
  structTable(
    'rust-vmm/mshv 1032a5d, hv-headers',
    `
union hv_snp_guest_policy 8
  0 ~as_uint64 u64
    [0..7] minor_version
    [8..15] major_version
    [16] smt_allowed
    [17] vmpls_required
    [18] migration_agent_allowed
    [19] debug_allowed
    [20..63] reserved
struct hv_snp_id_block 96
  0 launch_digest u8[48]
  48 family_id u8[16]
  64 image_id u8[16]
  80 version u32
  84 guest_svn u32
  88 policy hv_snp_guest_policy
struct hv_snp_id_auth_info 3204
  0 id_key_algorithm u32
  4 auth_key_algorithm u32
  8 reserved0 u8[56]
  64 id_block_signature u8[512]
  576 id_key u8[1028]
  1604 reserved1 u8[60]
  1664 id_key_signature u8[512]
  2176 author_key u8[1028]
struct hv_psp_launch_finish_data 3334
  0 id_block hv_snp_id_block
  96 id_auth_info hv_snp_id_auth_info
  3300 host_data u8[32]
  3332 id_block_enabled u8
  3333 author_key_enabled u8
union hv_partition_complete_isolated_import_data 3334
  0 ~reserved u64
  0 psp_parameters hv_psp_launch_finish_data
struct hv_input_complete_isolated_import 3342
  0 partition_id u64 partition
  8 import_data hv_partition_complete_isolated_import_data
struct hv_psp_cpuid_leaf 48
  0 eax_in u32
  4 ecx_in u32
  8 xfem_in u64
  16 xss_in u64
  24 eax_out u32
  28 ebx_out u32
  32 ecx_out u32
  36 edx_out u32
  40 reserved_z u64
struct hv_psp_cpuid_page 3088
  0 count u32
  4 reserved_z1 u32
  8 reserved_z2 u64
  16 cpuid_leaf_info hv_psp_cpuid_leaf[64]
struct hv_input_import_isolated_pages 16
  0 partition_id u64 partition
  8 page_type u32
  12 page_size u32
  16 page_number u64[] pfn
struct hv_input_issue_psp_guest_request 24
  0 partition_id u64 partition
  8 request_page u64 pfn
  16 response_page u64 pfn
`,
  ),
];

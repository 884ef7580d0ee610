import { structTable } from '../../layout/table.ts';

/** What a guest shares with the hypervisor through synthetic MSRs. Format: ./README.md. */
export const GUEST_STRUCTS = [
  structTable(
    'Linux 7.2.13 include/hyperv',
    `
struct hv_reenlightenment_control 8
  0 - u64
    [0..7] vector hex
    [8..15] reserved1
    [16] enabled
    [17..31] reserved2
    [32..63] target_vp vp
struct hv_tsc_emulation_status 8
  0 - u64
    [0] inprogress
    [1..63] reserved
struct hv_tsc_emulation_control 8
  0 - u64
    [0] enabled
    [1..63] reserved
union hv_reference_tsc_msr 8
  0 ~as_uint64 u64
    [0] enable
    [1..11] reserved
    [12..63] pfn pfn
union hv_hypervisor_version_info 16
  0 build_number u32
  0 ~eax u32 hex
  4 ~ebx u32 hex
  4 - u32
    [0..15] minor_version
    [16..31] major_version
  8 service_pack u32
  8 ~ecx u32 hex
  12 ~edx u32 hex
  12 - u32
    [0..23] service_number
    [24..31] service_branch
union hv_x64_msr_hypercall_contents 8
  0 ~as_uint64 u64
    [0] enable
    [1..11] reserved
    [12..63] guest_physical_address pfn
union hv_vp_assist_msr_contents 8
  0 ~as_uint64 u64
    [0] enable
    [1..11] reserved
    [12..63] pfn pfn
struct ms_hyperv_tsc_page 24
  0 tsc_sequence u32
  4 reserved1 u32
  8 tsc_scale u64
  16 tsc_offset s64
`,
  ),
];

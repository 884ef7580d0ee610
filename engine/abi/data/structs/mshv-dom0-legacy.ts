import { structTable } from '../../layout/table.ts';

/** Arguments of the out-of-tree dom0 ioctls. Format: ./README.md. */
export const MSHV_DOM0_LEGACY_STRUCTS = [
  structTable(
    'out-of-tree dom0 uapi header',
    `
struct dom0legacy_mshv_version_info 32
  0 mshv_uapi_version u32
  4 rsvd_0 u32[3]
  16 mshv_api_version u32
  20 rsvd_1 u32
  24 mshv_capabilities u64
struct dom0legacy_mshv_create_partition 48
  0 flags u64 @partitionCreationFlags
  8 disabled_processor_features u64[2]
  24 disabled_processor_xsave_features u64
  32 synthetic_processor_features u64
  40 isolation_properties u64
struct dom0legacy_mshv_vp_registers 16
  0 count s32
  8 regs *void
struct dom0legacy_mshv_irqfd 16
  0 fd s32 fd
  4 resamplefd s32 fd
  8 gsi u32
  12 flags u32 @mshvIrqfdFlags
struct dom0legacy_mshv_ioeventfd 32
  0 datamatch u64
  8 addr u64 gpa
  16 len u32
  20 fd s32 fd
  24 flags u32 @mshvIoeventfdFlags
  28 pad u8[4]
struct dom0legacy_mshv_msi_routing 8
  0 nr u32
  4 pad u32
  8 entries u8[0]
struct dom0legacy_mshv_get_gpa_pages_access_state 28
  0 count u32
  4 flags u64
  12 hv_gpa_page_number u64 pfn
  20 states *void
struct dom0legacy_mshv_translate_gva 32
  0 gva u64 gva
  8 flags u64 @translateGvaFlags
  16 result *void
  24 gpa *void gpa
struct dom0legacy_mshv_signal_event_direct 12
  0 vp u32
  4 vtl u8
  5 sint u8
  6 flag u16
  8 newly_signaled u8
struct dom0legacy_mshv_post_message_direct 16
  0 vp u32
  4 vtl u8
  5 sint u8
  6 length u16
  8 message *void
struct dom0legacy_mshv_register_deliverabilty_notifications 16
  0 vp u32
  4 pad u32
  8 flag u64
struct dom0legacy_mshv_get_vp_cpuid_values 40
  0 function u32
  4 index u32
  8 xfem u64
  16 xss u64
  24 eax u32 hex
  28 ebx u32 hex
  32 ecx u32 hex
  36 edx u32 hex
struct dom0legacy_mshv_root_hvcall 32
  0 code u16 @hypercalls
  2 reps u16
  4 in_sz u16
  6 out_sz u16
  8 status u16 @statuses
  10 rsvd u16[3]
  16 in_ptr u64 gva
  24 out_ptr u64 gva
struct dom0legacy_mshv_create_device 12
  0 type u32
  4 fd u32 fd
  8 flags u32
struct dom0legacy_mshv_device_attr 24
  0 flags u32
  4 group u32
  8 attr u64
  16 addr u64
struct dom0legacy_mshv_sev_snp_ap_create 16
  0 vp_id u64
  8 vmsa_gpa u64 gpa
struct dom0legacy_mshv_modify_gpa_host_access 24
  0 host_access u32
  4 flags u32
  8 acquire u8
  16 gpa_list_size u64 dec
  24 gpa_list u64[] pfn
struct dom0legacy_mshv_issue_psp_guest_request 16
  0 req_gpa u64 gpa
  8 rsp_gpa u64 gpa
`,
  ),
];

import { structTable } from '../../layout/table.ts';

/** System properties, statistics, logical processors, sleep, crash dump. Format: ./README.md. */
export const SYSTEM_STRUCTS = [
  structTable(
    'Linux 7.2.13 include/hyperv',
    `
union hv_stats_object_identity 16
  0 hv struct(16) when ^type=HV_STATS_OBJECT_HYPERVISOR
    0 reserved u8[15]
    15 stats_area_type u8 @statsAreaTypes
  0 lp struct(16) when ^type=HV_STATS_OBJECT_LOGICAL_PROCESSOR
    0 lp_index u32
    4 reserved u8[11]
    15 stats_area_type u8 @statsAreaTypes
  0 partition struct(16) when ^type=HV_STATS_OBJECT_PARTITION
    0 partition_id u64 partition
    8 reserved u8[7]
    15 stats_area_type u8 @statsAreaTypes
  0 vp struct(16) when ^type=HV_STATS_OBJECT_VP
    0 partition_id u64 partition
    8 vp_index u32 vp
    12 flags u16
    14 reserved u8
    15 stats_area_type u8 @statsAreaTypes
struct hv_input_get_system_property 16
  0 property_id u32 @systemProperties
  4 reserved u32
  8 as_uint64 u64 when else
  8 hv_processor_feature u32 when property_id=HV_DYNAMIC_PROCESSOR_FEATURE_PROPERTY
struct hv_output_get_system_property 8
  0 scheduler_type u32 @schedulerTypes when ^property_id=HV_SYSTEM_PROPERTY_SCHEDULER_TYPE
  0 hv_processor_feature_value u64 when else
  0 hv_cda_info hv_pfn_range when ^property_id=HV_SYSTEM_PROPERTY_CRASHDUMPAREA
  0 ~hv_tramp_pa u64 gpa
struct hv_sleep_state_info 6
  0 sleep_state u32
  4 pm1a_slp_typ u8
  5 pm1b_slp_typ u8
struct hv_input_set_system_property 72
  0 property_id u32 @systemProperties
  4 reserved u32
  8 set_sleep_state_info hv_sleep_state_info when property_id=HV_SYSTEM_PROPERTY_SLEEP_STATE
  8 reserved0 u64[8] when else
struct hv_input_enter_sleep_state 4
  0 sleep_state u32
struct hv_input_map_stats_page 24
  0 type u32 @statsObjectTypes
  4 padding u32
  8 identity hv_stats_object_identity
struct hv_input_map_stats_page2 32
  0 type u32 @statsObjectTypes
  4 padding u32
  8 identity hv_stats_object_identity
  24 map_location u64 pfn
struct hv_output_map_stats_page 8
  0 map_location u64 pfn
struct hv_input_unmap_stats_page 24
  0 type u32 @statsObjectTypes
  4 padding u32
  8 identity hv_stats_object_identity
struct hv_partition_event_root_crashdump_input 4
  0 crashdump_action u32
struct hv_input_disable_hyp_ex 16
  0 rip u64 gva
  8 arg u64
struct hv_crashdump_area 8
  0 version u32
  4 ~flags_as_uint32 u32
  4 - u32
    [0] cda_valid
    [1..31] cda_unused
union hv_partition_event_input 4
  0 crashdump_input hv_partition_event_root_crashdump_input
struct hv_input_notify_partition_event 8
  0 event u32 @partitionEvents
  4 input hv_partition_event_input
struct hv_input_get_logical_processor_run_time 4
  0 lp_index u32
struct hv_output_get_logical_processor_run_time 32
  0 global_time u64
  8 local_run_time u64
  16 rsvdz0 u64
  24 hypervisor_time u64
struct hv_lp_startup_status 56
  0 hv_status u64 @statuses
  8 substatus1 u64
  16 substatus2 u64
  24 substatus3 u64
  32 substatus4 u64
  40 substatus5 u64
  48 substatus6 u64
struct hv_input_add_logical_processor 16
  0 lp_index u32
  4 apic_id u32
  8 proximity_domain_info hv_proximity_domain_info
struct hv_output_add_logical_processor 56
  0 startup_status hv_lp_startup_status
struct hv_stats_page 4096
  0 data u64[512]
`,
  ),
];

import { structTable } from '../../layout/table.ts';

/** SynIC registers, message and event pages, message payloads that are not intercepts. Format: ./README.md. */
export const SYNIC_STRUCTS = [
  structTable(
    'Linux 7.2.13 include/hyperv',
    `
union hv_synic_sint 8
  0 ~as_uint64 u64
    [0..7] vector hex
    [8..15] reserved1
    [16] masked
    [17] auto_eoi
    [18] polling
    [19] as_intercept
    [20] proxy
    [21..63] reserved2
union hv_stimer_config 8
  0 ~as_uint64 u64
    [0] enable
    [1] periodic
    [2] lazy
    [3] auto_enable
    [4..11] apic_vector hex
    [12] direct_mode
    [13..15] reserved_z0
    [16..19] sintx
    [20..63] reserved_z1
union hv_port_id 4
  0 ~asu32 u32
    [0..23] id
    [24..31] reserved
union hv_synic_simp 8
  0 ~as_uint64 u64
    [0] simp_enabled
    [1..11] preserved
    [12..63] base_simp_gpa pfn
union hv_message_flags 1
  0 ~asu8 u8
    [0] msg_pending
    [1..7] reserved
struct hv_message_header 16
  0 message_type u32 @messageTypes
  4 payload_size u8
  5 message_flags hv_message_flags
  6 reserved u8[2]
  8 sender u64
  8 ~port hv_port_id
struct hv_notification_message_payload 4
  0 sint_index u32
struct hv_message 256 message
  0 header hv_message_header
  16 payload u64[30] bytes
struct hv_message_page 4096
  0 sint_message hv_message[16]
struct hv_timer_message_payload 24
  0 timer_index u32
  4 reserved u32
  8 expiration_time u64 time
  16 delivery_time u64 time
union hv_connection_id 4
  0 ~asu32 u32
    [0..23] id
    [24..31] reserved
union hv_synic_event_flags 256
  0 ~flags8 u8[256]
  0 ~flags32 u32[64]
  0 flags u64[32]
struct hv_synic_event_flags_page 4096
  0 event_flags hv_synic_event_flags[16]
struct hv_synic_event_ring 256
  0 signal_masked u8
  1 ring_full u8
  2 reserved_z u16
  4 data u32[63]
struct hv_synic_event_ring_page 4096
  0 sint_event_ring hv_synic_event_ring[16]
union hv_synic_scontrol 8
  0 ~as_uint64 u64
    [0] enable
    [1..63] reserved
union hv_synic_siefp 8
  0 ~as_uint64 u64
    [0] siefp_enabled
    [1..11] preserved
    [12..63] base_siefp_gpa pfn
union hv_synic_sirbp 8
  0 ~as_uint64 u64
    [0] sirbp_enabled
    [1..11] preserved
    [12..63] base_sirbp_gpa pfn
struct hv_stimer_state 40
  0 flags struct(4)
    0 - u32
      [0] undelivered_msg_pending
      [1..31] reserved
  4 resvd u32
  8 config u64
  16 count u64
  24 adjustment u64
  32 undelivered_exp_time u64
struct hv_synthetic_timers_state 200
  0 timers hv_stimer_state[4]
  160 reserved u64[5]
struct hv_async_completion_message_payload 24
  0 partition_id u64 partition
  8 status u32 @statuses
  12 completion_count u32
  16 sub_status u64
struct hv_vp_signal_bitset_scheduler_message 160
  0 partition_id u64 partition
  8 overflow_count u32
  12 vp_count u16
  14 reserved u16
  16 vp_bitset union(144)
    16 ~bitset hv_vpset
    16 bitset_buffer u64[18]
struct hv_vp_signal_pair_scheduler_message 240
  0 overflow_count u32
  4 vp_count u8
  5 reserved1 u8[3]
  8 partition_ids u64[19] partition
  160 vp_indexes u32[19] vp
  236 reserved2 u8[4]
`,
  ),
];

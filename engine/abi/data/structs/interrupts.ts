import { structTable } from '../../layout/table.ts';

/** Interrupt assertion, IPIs, device interrupts. Format: ./README.md. */
export const INTERRUPTS_STRUCTS = [
  structTable(
    'Linux 7.2.13 include/hyperv',
    `
struct hv_send_ipi 16
  0 vector u32 hex
  4 reserved u32
  8 cpu_mask u64
union hv_msi_address_register 4
  0 ~as_uint32 u32
    [0..1] reserved1
    [2] destination_mode
    [3] redirection_hint
    [4..11] reserved2
    [12..19] destination_id
    [20..31] msi_base
union hv_msi_data_register 4
  0 ~as_uint32 u32
    [0..7] vector hex
    [8..10] delivery_mode
    [11..13] reserved1
    [14] level_assert
    [15] trigger_mode
    [16..31] reserved2
union hv_msi_entry 8
  0 ~as_uint64 u64
  0 address hv_msi_address_register
  4 data hv_msi_data_register
union hv_ioapic_rte 8
  0 ~as_uint64 u64
  0 ~low_uint32 u32
  0 - u32
    [0..7] vector hex
    [8..10] delivery_mode
    [11] destination_mode
    [12] delivery_status
    [13] interrupt_polarity
    [14] remote_irr
    [15] trigger_mode
    [16] interrupt_mask
    [17..31] reserved1
  4 ~high_uint32 u32
  4 - u32
    [0..23] reserved2
    [24..31] destination_id
struct hv_interrupt_entry 16
  0 source u32 @interruptSources
  4 reserved1 u32
  8 msi_entry hv_msi_entry when source=HV_INTERRUPT_SOURCE_MSI
  8 ioapic_rte hv_ioapic_rte when source=HV_INTERRUPT_SOURCE_IOAPIC
struct hv_device_interrupt_target 24
  0 vector u32 hex
  4 flags u32 @deviceInterruptTargetFlags
  8 vp_mask u64 when else
  8 vp_set hv_vpset when flags&HV_DEVICE_INTERRUPT_TARGET_PROCESSOR_SET
struct hv_retarget_device_interrupt 64
  0 partition_id u64 partition
  8 device_id u64
  16 int_entry hv_interrupt_entry
  32 reserved2 u64
  40 int_target hv_device_interrupt_target
struct hv_device_interrupt_descriptor 40
  0 interrupt_type u32 @interruptTypes
  4 trigger_mode u32
  8 vector_count u32
  12 reserved u32
  16 target hv_device_interrupt_target
struct hv_input_map_device_interrupt 80
  0 partition_id u64 partition
  8 device_id u64
  16 flags u32
  20 base_irt_idx u32
  24 logical_interrupt_entry hv_interrupt_entry
  40 interrupt_descriptor hv_device_interrupt_descriptor
struct hv_output_map_device_interrupt 56
  0 interrupt_entry hv_interrupt_entry
  16 ext_status_deprecated u64[5]
struct hv_input_unmap_device_interrupt 36
  0 partition_id u64 partition
  8 device_id u64
  16 interrupt_entry hv_interrupt_entry
  32 flags u32
struct hv_send_ipi_ex 24
  0 vector u32 hex
  4 reserved u32
  8 vp_set hv_vpset
union hv_pci_bdf 2
  0 ~as_uint16 u16
  0 - u8
    [0..2] function
    [3..7] device
  1 bus u8
union hv_pci_bus_range 2
  0 ~as_uint16 u16
  0 subordinate_bus u8
  1 secondary_bus u8
union hv_device_id 8
  0 logical struct(8) when device_type=HV_DEVICE_TYPE_LOGICAL
    0 - u64
      [0..61] id
      [62..63] device_type @deviceTypes
  0 pci struct(8) when device_type=HV_DEVICE_TYPE_PCI
    0 rid u16
    0 bdf hv_pci_bdf
    2 segment u16
    4 shadow_bus_range hv_pci_bus_range
    6 - u16
      [0..1] phantom_function_bits
      [2] source_shadow
      [3..13] rsvdz0
      [14..15] device_type @deviceTypes
  0 ioapic struct(8) when device_type=HV_DEVICE_TYPE_IOAPIC
    0 ioapic_id u8
    1 rsvdz0 u8
    2 rsvdz1 u16
    4 rsvdz2 u16
    6 - u16
      [0..13] rsvdz3
      [14..15] device_type @deviceTypes
  0 acpi struct(8) when device_type=HV_DEVICE_TYPE_ACPI
    0 input_mapping_base u32
    4 - u32
      [0..29] input_mapping_count
      [30..31] device_type @deviceTypes
  0 ~as_uint64 u64
    [0..61] ~reserved0
    [62..63] device_type @deviceTypes
union hv_interrupt_control 8
  0 ~as_uint64 u64
  0 interrupt_type u32 @interruptTypes
  4 - u32
    [0] level_triggered
    [1] logical_dest_mode
    [2..31] rsvd
struct hv_input_assert_virtual_interrupt 32
  0 partition_id u64 partition
  8 control hv_interrupt_control
  16 dest_addr u64
  24 vector u32 hex
  28 target_vtl u8
  29 rsvd_z0 u8
  30 rsvd_z1 u16
`,
  ),
];

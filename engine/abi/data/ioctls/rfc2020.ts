import { ioctlTable } from '../../lookup/ioctl-row.ts';

/** Columns and words: ./README.md. */
export const RFC2020_IOCTLS = ioctlTable(
  'rfc2020',
  'RFC patches of 2020 (linux-hyperv), layouts compiled',
  `
0x4004b800 device    W  0x0 4   u32                             MSHV_REQUEST_VERSION  # argument is a u32 version (only 0 supported); must succeed once per open before anything else.
0x4028b801 device    W  0x1 40  rfc2020_mshv_create_partition   MSHV_CREATE_PARTITION       opens=partition  # size 40 after patch 18/18 (adds synthetic_processor_features); 32 (number 0x4020b801) with only patches 5..17 applied.
0x4020b802 partition W  0x2 32  rfc2020_mshv_user_mem_region    MSHV_MAP_GUEST_MEMORY
0x4020b803 partition W  0x3 32  rfc2020_mshv_user_mem_region    MSHV_UNMAP_GUEST_MEMORY
0x4004b804 partition W  0x4 4   rfc2020_mshv_create_vp          MSHV_CREATE_VP              opens=vp
0xc018b805 vp        RW 0x5 24  rfc2020_mshv_vp_registers       MSHV_GET_VP_REGISTERS       in=names out=values  # separate names[] (u32) and values[] (16 bytes each) arrays; count <= 128. Review of the RFC led the 2021 series to a single assoc array.
0x4018b806 vp        W  0x6 24  rfc2020_mshv_vp_registers       MSHV_SET_VP_REGISTERS       in=names+values
0x8100b807 vp        R  0x7 256 rfc2020_hv_message              MSHV_RUN_VP                 out=message
0x4010b808 partition W  0x8 16  rfc2020_mshv_install_intercept  MSHV_INSTALL_INTERCEPT
0x4018b809 partition W  0x9 24  rfc2020_mshv_assert_interrupt   MSHV_ASSERT_INTERRUPT
0xc028b80a vp        RW 0xa 40  rfc2020_mshv_vp_state           MSHV_GET_VP_STATE           out=vp-state back=buf_size  # only LAPIC (0) and XSAVE (0x80000001) accepted.
0xc028b80b vp        RW 0xb 40  rfc2020_mshv_vp_state           MSHV_SET_VP_STATE           in=vp-state
0x4010b80c partition W  0xc 16  rfc2020_mshv_partition_property MSHV_SET_PARTITION_PROPERTY
0xc010b80d partition RW 0xd 16  rfc2020_mshv_partition_property MSHV_GET_PARTITION_PROPERTY back=property_value
`,
);

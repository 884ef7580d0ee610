import { ioctlTable } from '../../lookup/ioctl-row.ts';

/** Columns and words: ./README.md. */
export const RUST_VMM_IOCTLS = ioctlTable(
  'rust-vmm',
  'rust-vmm/mshv 1032a5d: ioctl table and layout asserts',
  `
0xc010b801 device          RW 0x1  16   mshv_partition_property                   MSHV_GET_HOST_PARTITION_PROPERTY           back=property_value  # same number as upstream MSHV_GET_VP_STATE; disambiguate by fd.
0xc00cb808 partition       RW 0x8  12   mshv_create_device                        MSHV_CREATE_DEVICE                         opens=passthru-device back=fd
0x4010b809 partition       W  0x9  16   mshv_modify_gpa_host_access               MSHV_MODIFY_GPA_HOST_ACCESS
0x4010b80a partition       W  0xa  16   mshv_import_isolated_pages                MSHV_IMPORT_ISOLATED_PAGES
0x4010b8f0 partition       W  0xf0 16   mshv_install_intercept                    MSHV_INSTALL_INTERCEPT
0x4018b8f1 partition       W  0xf1 24   mshv_assert_interrupt                     MSHV_ASSERT_INTERRUPT
0x4010b8f2 partition       W  0xf2 16   mshv_partition_property                   MSHV_SET_PARTITION_PROPERTY
0xc010b8f3 partition       RW 0xf3 16   mshv_partition_property                   MSHV_GET_PARTITION_PROPERTY                back=property_value
0x4d06b8f4 partition       W  0xf4 3334 mshv_complete_isolated_import             MSHV_COMPLETE_ISOLATED_IMPORT
0x4010b8f5 partition       W  0xf5 16   mshv_issue_psp_guest_request              MSHV_ISSUE_PSP_GUEST_REQUEST
0x4010b8f6 partition       W  0xf6 16   mshv_sev_snp_ap_create                    MSHV_SEV_SNP_AP_CREATE
0xc00cb8f7 partition       RW 0xf7 12   mshv_signal_event_direct                  MSHV_SIGNAL_EVENT_DIRECT                   back=newly_signaled
0x4010b8f8 partition       W  0xf8 16   mshv_post_message_direct                  MSHV_POST_MESSAGE_DIRECT                   in=message
0x4010b8f9 partition       W  0xf9 16   mshv_register_deliverabilty_notifications MSHV_REGISTER_DELIVERABILITY_NOTIFICATIONS
0xc010b8f0 vp              RW 0xf0 16   mshv_vp_registers                         MSHV_GET_VP_REGISTERS                      in=register-names out=register-values
0x4010b8f1 vp              W  0xf1 16   mshv_vp_registers                         MSHV_SET_VP_REGISTERS                      in=registers
0xc020b8f2 vp              RW 0xf2 32   mshv_translate_gva                        MSHV_VP_TRANSLATE_GVA                      out=gva-translation
0x4030b8f3 vp              W  0xf3 48   mshv_register_intercept_result            MSHV_VP_REGISTER_INTERCEPT_RESULT
0xc028b8f4 vp              RW 0xf4 40   mshv_get_vp_cpuid_values                  MSHV_GET_VP_CPUID_VALUES                   back=eax,ebx,ecx,edx
0xc020b8f5 vp              RW 0xf5 32   mshv_read_write_gpa                       MSHV_READ_GPA                              back=data
0x4020b8f6 vp              W  0xf6 32   mshv_read_write_gpa                       MSHV_WRITE_GPA
0x4018b800 passthru-device W  0x0  24   mshv_device_attr                          MSHV_SET_DEVICE_ATTR                       in=bytes
0x4018b801 passthru-device W  0x1  24   mshv_device_attr                          MSHV_GET_DEVICE_ATTR                       out=bytes
0x4018b802 passthru-device W  0x2  24   mshv_device_attr                          MSHV_HAS_DEVICE_ATTR
`,
);

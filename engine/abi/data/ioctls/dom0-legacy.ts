import { ioctlTable } from '../../lookup/ioctl-row.ts';

/** Columns and words: ./README.md. */
export const DOM0_LEGACY_IOCTLS = ioctlTable(
  'dom0-legacy',
  'out-of-tree dom0 uapi header; not checked against a running kernel',
  `
0xc020b800 device          RW 0x0  32  dom0legacy_mshv_version_info                         MSHV_GET_VERSION_INFO                      back=mshv_uapi_version,mshv_api_version,mshv_capabilities
0x4004b800 device          W  0x0  4   u32                                                  MSHV_CHECK_EXTENSION  # 2021 v1/v2 series; replaced by MSHV_GET_VERSION_INFO later.
0x4030b801 device          W  0x1  48  dom0legacy_mshv_create_partition                     MSHV_CREATE_PARTITION                      opens=partition
0x4020b802 partition       W  0x2  32  rfc2020_mshv_user_mem_region                         MSHV_MAP_GUEST_MEMORY
0x4020b803 partition       W  0x3  32  rfc2020_mshv_user_mem_region                         MSHV_UNMAP_GUEST_MEMORY
0x4004b804 partition       W  0x4  4   rfc2020_mshv_create_vp                               MSHV_CREATE_VP                             opens=vp
0xc010b805 vp              RW 0x5  16  dom0legacy_mshv_vp_registers                         MSHV_GET_VP_REGISTERS                      in=register-names out=register-values
0x4010b806 vp              W  0x6  16  dom0legacy_mshv_vp_registers                         MSHV_SET_VP_REGISTERS                      in=registers
0x8100b807 vp              R  0x7  256 rfc2020_hv_message                                   MSHV_RUN_VP                                out=message
0x4010b808 partition       W  0x8  16  rfc2020_mshv_install_intercept                       MSHV_INSTALL_INTERCEPT
0x4018b809 partition       W  0x9  24  rfc2020_mshv_assert_interrupt                        MSHV_ASSERT_INTERRUPT
0xc028b80a vp              RW 0xa  40  rfc2020_mshv_vp_state                                MSHV_GET_VP_STATE                          out=vp-state back=buf_size
0xc028b80b vp              RW 0xb  40  rfc2020_mshv_vp_state                                MSHV_SET_VP_STATE                          in=vp-state
0x4010b80c partition       W  0xc  16  rfc2020_mshv_partition_property                      MSHV_SET_PARTITION_PROPERTY
0xc010b80d partition       RW 0xd  16  rfc2020_mshv_partition_property                      MSHV_GET_PARTITION_PROPERTY                back=property_value
0x4010b80e partition       W  0xe  16  dom0legacy_mshv_irqfd                                MSHV_IRQFD
0xc020b80e vp              RW 0xe  32  dom0legacy_mshv_translate_gva                        MSHV_TRANSLATE_GVA                         out=gva-translation
0x4020b80f partition       W  0xf  32  dom0legacy_mshv_ioeventfd                            MSHV_IOEVENTFD
0x4008b811 partition       W  0x11 8   dom0legacy_mshv_msi_routing                          MSHV_SET_MSI_ROUTING
0xc01cb812 partition       RW 0x12 28  dom0legacy_mshv_get_gpa_pages_access_state           MSHV_GET_GPA_ACCESS_STATES                 out=access-states
0xc00cb813 partition       RW 0x13 12  dom0legacy_mshv_create_device                        MSHV_CREATE_DEVICE                         opens=passthru-device back=fd
0x4018b814 passthru-device W  0x14 24  dom0legacy_mshv_device_attr                          MSHV_SET_DEVICE_ATTR                       in=bytes
0x4018b815 passthru-device W  0x15 24  dom0legacy_mshv_device_attr                          MSHV_GET_DEVICE_ATTR                       out=bytes
0x4018b816 passthru-device W  0x16 24  dom0legacy_mshv_device_attr                          MSHV_HAS_DEVICE_ATTR
0x4030b817 vp              W  0x17 48  mshv_register_intercept_result                       MSHV_VP_REGISTER_INTERCEPT_RESULT
0xc00cb818 partition       RW 0x18 12  dom0legacy_mshv_signal_event_direct                  MSHV_SIGNAL_EVENT_DIRECT                   back=newly_signaled
0x4010b819 partition       W  0x19 16  dom0legacy_mshv_post_message_direct                  MSHV_POST_MESSAGE_DIRECT                   in=message
0x4010b81a partition       W  0x1a 16  dom0legacy_mshv_register_deliverabilty_notifications MSHV_REGISTER_DELIVERABILITY_NOTIFICATIONS
0xc028b81b vp              RW 0x1b 40  dom0legacy_mshv_get_vp_cpuid_values                  MSHV_GET_VP_CPUID_VALUES                   back=eax,ebx,ecx,edx
0x4018b828 partition       W  0x28 24  dom0legacy_mshv_modify_gpa_host_access               MSHV_MODIFY_GPA_HOST_ACCESS
0x4010b831 partition       W  0x31 16  dom0legacy_mshv_issue_psp_guest_request              MSHV_ISSUE_PSP_GUEST_REQUEST
0xc020b832 vp              RW 0x32 32  mshv_read_write_gpa                                  MSHV_READ_GPA                              back=data
0x4020b833 vp              W  0x33 32  mshv_read_write_gpa                                  MSHV_WRITE_GPA
0x4010b834 partition       W  0x34 16  dom0legacy_mshv_sev_snp_ap_create                    MSHV_SEV_SNP_AP_CREATE
0xc020b835 partition,vp    RW 0x35 32  dom0legacy_mshv_root_hvcall                          MSHV_ROOT_HVCALL                           in=hypercall out=hypercall back=reps,status
-          partition       W  0x29 -   -                                                    MSHV_IMPORT_ISOLATED_PAGES  # nr known; argument size not established: unverified
-          partition       W  0x30 -   -                                                    MSHV_COMPLETE_ISOLATED_IMPORT  # nr known; argument size not established: unverified
`,
);

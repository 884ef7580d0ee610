import { ioctlTable } from '../../lookup/ioctl-row.ts';

/** Columns and words: ./README.md. */
export const VTL_IOCTLS = ioctlTable(
  'vtl',
  'Linux 7.2.13 uapi linux/mshv.h',
  `
0x4004b800 device W  0x0  4  u32                      MSHV_CHECK_EXTENSION  # same number as rfc2020 MSHV_REQUEST_VERSION.
0x8001b81d device R  0x1d 1  char                     MSHV_CREATE_VTL                opens=vtl
0x4010b821 vtl    W  0x21 16 mshv_vtl_ram_disposition MSHV_ADD_VTL0_MEMORY
0x4008b825 vtl    W  0x25 8  mshv_vtl_set_poll_file   MSHV_SET_POLL_FILE
0x0000b827 vtl    -  0x27 0  -                        MSHV_RETURN_TO_LOWER_VTL
0xc010b805 vtl    RW 0x5  16 mshv_vp_registers        MSHV_GET_VP_REGISTERS          in=register-names out=register-values
0x4010b806 vtl    W  0x6  16 mshv_vp_registers        MSHV_SET_VP_REGISTERS          in=registers
0x4008b822 sint   W  0x22 8  mshv_vtl_signal_event    MSHV_SINT_SIGNAL_EVENT
0x4018b823 sint   W  0x23 24 mshv_vtl_sint_post_msg   MSHV_SINT_POST_MESSAGE         in=bytes
0x4008b824 sint   W  0x24 8  mshv_vtl_set_eventfd     MSHV_SINT_SET_EVENTFD
0x4008b825 sint   W  0x25 8  mshv_sint_mask           MSHV_SINT_PAUSE_MESSAGE_STREAM  # same number as MSHV_SET_POLL_FILE; disambiguate by fd (mshv_sint device vs vtl fd).
0x4010b81e hvcall W  0x1e 16 mshv_vtl_hvcall_setup    MSHV_HVCALL_SETUP              in=bytes
0xc030b81f hvcall RW 0x1f 48 mshv_vtl_hvcall          MSHV_HVCALL                    in=hypercall out=hypercall back=status
`,
);

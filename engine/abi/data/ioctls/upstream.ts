import { ioctlTable } from '../../lookup/ioctl-row.ts';

/** Columns and words: ./README.md. */
export const UPSTREAM_IOCTLS = ioctlTable(
  'upstream',
  'Linux 7.2.13 uapi linux/mshv.h',
  `
0x4010b800 device    W  0x0 16  mshv_create_partition   MSHV_CREATE_PARTITION       opens=partition  # size in the number is that of the 16-byte v1 struct; when pt_flags bit 3 (MSHV_PT_BIT_CPU_AND_XSAVE_FEATURES) is set the kernel copies the 64-byte mshv_create_partition_v2 from the same pointer. Returns a partition fd (O_CLOEXEC).
0xc020b807 device    RW 0x7 32  mshv_root_hvcall        MSHV_ROOT_HVCALL            in=hypercall out=hypercall back=reps,status  # same number on device, partition and vp fds; device-fd support is new (self-partition allow-list), absent in the first upstream version.
0x0000b800 partition -  0x0 0   -                       MSHV_INITIALIZE_PARTITION  # no argument; idempotent (second call returns 0).
0x4004b801 partition W  0x1 4   mshv_create_vp          MSHV_CREATE_VP              opens=vp  # returns a vp fd.
0x4020b802 partition W  0x2 32  mshv_user_mem_region    MSHV_SET_GUEST_MEMORY  # map or unmap selected by flags bit 2 (UNMAP); same 32-bit number as rfc2020 MSHV_MAP_GUEST_MEMORY.
0x4010b803 partition W  0x3 16  mshv_user_irqfd         MSHV_IRQFD
0x4020b804 partition W  0x4 32  mshv_user_ioeventfd     MSHV_IOEVENTFD
0x4008b805 partition W  0x5 8   mshv_user_irq_table     MSHV_SET_MSI_ROUTING  # variable size: 8-byte header then nr entries of 16 bytes (mshv_user_irq_entry), nr <= 4096.
0xc020b806 partition RW 0x6 32  mshv_gpap_access_bitmap MSHV_GET_GPAP_ACCESS_BITMAP out=bytes
0xc020b807 partition RW 0x7 32  mshv_root_hvcall        MSHV_ROOT_HVCALL            in=hypercall out=hypercall back=reps,status  # same number on device, partition and vp fds; device-fd support is new (self-partition allow-list), absent in the first upstream version.
0x8100b800 vp        R  0x0 256 mshv_run_vp             MSHV_RUN_VP                 out=message  # output buffer of 256 bytes receives struct hv_message.
0xc010b801 vp        RW 0x1 16  mshv_get_set_vp_state   MSHV_GET_VP_STATE           out=vp-state back=buf_sz
0xc010b802 vp        RW 0x2 16  mshv_get_set_vp_state   MSHV_SET_VP_STATE           in=vp-state back=buf_sz
0xc020b807 vp        RW 0x7 32  mshv_root_hvcall        MSHV_ROOT_HVCALL            in=hypercall out=hypercall back=reps,status  # same number on device, partition and vp fds; device-fd support is new (self-partition allow-list), absent in the first upstream version.
`,
);

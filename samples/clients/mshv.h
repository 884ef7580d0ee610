/* The part of the upstream /dev/mshv interface that the sample clients use: numbers and layouts of Linux 7.2
   include/uapi/linux/mshv.h and include/hyperv, which few machines have installed. */
#ifndef SAMPLE_MSHV_H
#define SAMPLE_MSHV_H

#include <stdint.h>

struct mshv_create_partition {
	uint64_t pt_flags;
	uint64_t pt_isolation;
};
#define MSHV_PT_LAPIC 0x1
#define MSHV_PT_X2APIC 0x2
#define MSHV_PT_GPA_SUPER_PAGES 0x4

struct mshv_user_mem_region {
	uint64_t size;
	uint64_t guest_pfn;
	uint64_t userspace_addr;
	uint8_t flags;
	uint8_t rsvd[7];
};
#define MSHV_MEM_WRITABLE 0x1
#define MSHV_MEM_EXECUTABLE 0x2
#define MSHV_MEM_UNMAP 0x4

struct mshv_root_hvcall {
	uint16_t code;
	uint16_t reps;
	uint16_t in_sz;
	uint16_t out_sz;
	uint16_t status;
	uint8_t rsvd[6];
	uint64_t in_ptr;
	uint64_t out_ptr;
};

#define MSHV_CREATE_PARTITION 0x4010b800
#define MSHV_INITIALIZE_PARTITION 0xb800
#define MSHV_CREATE_VP 0x4004b801
#define MSHV_SET_GUEST_MEMORY 0x4020b802
#define MSHV_ROOT_HVCALL 0xc020b807
#define MSHV_RUN_VP 0x8100b800

#define HVCALL_SET_PARTITION_PROPERTY 0x45
#define HVCALL_INSTALL_INTERCEPT 0x4d
#define HVCALL_GET_VP_REGISTERS 0x50
#define HVCALL_SET_VP_REGISTERS 0x51

#include "hv.h"

#endif

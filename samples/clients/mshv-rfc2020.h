/* The part of the /dev/mshv interface of the RFC patches of 2020 that the sample client uses. */
#ifndef SAMPLE_MSHV_RFC2020_H
#define SAMPLE_MSHV_RFC2020_H

#include <stdint.h>

struct rfc_create_partition {
	uint64_t flags;
	uint64_t disabled_processor_features[2];
	uint64_t disabled_xsave_features;
	uint64_t synthetic_processor_features;
};

struct rfc_mem_region {
	uint64_t size;
	uint64_t guest_pfn;
	uint64_t userspace_addr;
	uint32_t flags; /* HV_MAP_GPA_* */
};
#define HV_MAP_GPA_READABLE 0x1
#define HV_MAP_GPA_WRITABLE 0x2
#define HV_MAP_GPA_EXECUTABLE 0xc

struct rfc_vp_registers {
	int32_t count;
	uint32_t *names;
	uint64_t (*values)[2];
};

struct rfc_install_intercept {
	uint32_t access_type_mask;
	uint32_t intercept_type;
	uint64_t parameter;
};

struct rfc_vp_state {
	uint32_t type;
	uint64_t xsave_flags;
	uint64_t xsave_states;
	uint64_t buf_size;
	void *buf;
};
#define HV_VP_STATE_LAPIC 0

#define RFC_REQUEST_VERSION 0x4004b800
#define RFC_CREATE_PARTITION 0x4028b801
#define RFC_MAP_GUEST_MEMORY 0x4020b802
#define RFC_UNMAP_GUEST_MEMORY 0x4020b803
#define RFC_CREATE_VP 0x4004b804
#define RFC_GET_VP_REGISTERS 0xc018b805
#define RFC_SET_VP_REGISTERS 0x4018b806
#define RFC_RUN_VP 0x8100b807
#define RFC_INSTALL_INTERCEPT 0x4010b808
#define RFC_GET_VP_STATE 0xc028b80a

#endif

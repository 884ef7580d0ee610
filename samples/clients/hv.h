/* What both interfaces share: registers and intercept messages of the hypervisor (Linux 7.2 include/hyperv). */
#ifndef SAMPLE_HV_H
#define SAMPLE_HV_H

#include <stdint.h>

#define HV_REGISTER_RAX 0x20000
#define HV_REGISTER_RCX 0x20001
#define HV_REGISTER_RDX 0x20002
#define HV_REGISTER_RBX 0x20003
#define HV_REGISTER_RSP 0x20004
#define HV_REGISTER_RIP 0x20010
#define HV_REGISTER_RFLAGS 0x20011
#define HV_REGISTER_CS 0x60001
#define HV_REGISTER_SS 0x60002
#define HV_REGISTER_DS 0x60003

struct hv_register_assoc {
	uint32_t name;
	uint32_t reserved1;
	uint64_t reserved2;
	uint64_t low;
	uint64_t high;
};

struct hv_segment {
	uint64_t base;
	uint32_t limit;
	uint16_t selector;
	uint16_t attributes;
};

#define HVMSG_UNMAPPED_GPA 0x80000000
#define HVMSG_GPA_INTERCEPT 0x80000001
#define HVMSG_X64_IO_PORT_INTERCEPT 0x80010000
#define HVMSG_X64_MSR_INTERCEPT 0x80010001
#define HVMSG_X64_CPUID_INTERCEPT 0x80010002
#define HVMSG_X64_HALT 0x80010007

#define HV_INTERCEPT_ACCESS_READ 0
#define HV_INTERCEPT_ACCESS_WRITE 1

#define HV_INTERCEPT_TYPE_X64_MSR 1
#define HV_INTERCEPT_TYPE_X64_CPUID 2

struct hv_message {
	uint32_t type;
	uint8_t payload_size;
	uint8_t flags;
	uint8_t reserved[2];
	uint64_t sender;
	uint8_t payload[240];
};

struct hv_x64_intercept_header {
	uint32_t vp_index;
	uint8_t instruction_length : 4;
	uint8_t cr8 : 4;
	uint8_t access_type;
	uint16_t execution_state;
	struct hv_segment cs;
	uint64_t rip;
	uint64_t rflags;
};

struct hv_x64_io_message {
	struct hv_x64_intercept_header header;
	uint16_t port;
	uint8_t access_size : 3;
	uint8_t string_op : 1;
	uint8_t rep_prefix : 1;
	uint8_t instruction_byte_count;
	uint32_t reserved;
	uint64_t rax;
};

struct hv_x64_memory_message {
	struct hv_x64_intercept_header header;
	uint32_t cache_type;
	uint8_t instruction_byte_count;
	uint8_t access_info;
	uint8_t tpr_priority;
	uint8_t reserved;
	uint64_t gva;
	uint64_t gpa;
	uint8_t instruction_bytes[16];
};

struct hv_x64_cpuid_message {
	struct hv_x64_intercept_header header;
	uint64_t rax, rcx, rdx, rbx;
	uint64_t default_rax, default_rcx, default_rdx, default_rbx;
};

struct hv_x64_msr_message {
	struct hv_x64_intercept_header header;
	uint32_t msr;
	uint32_t reserved;
	uint64_t rdx, rax;
};

#endif

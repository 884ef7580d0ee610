/* What the sample clients do about an intercept: the answer in registers, and whether the guest goes on. */
#ifndef SAMPLE_EXITS_H
#define SAMPLE_EXITS_H

#include <stdio.h>
#include "guest.h"
#include "hv.h"

#define MAX_ANSWER 5 /* a CPUID answer: four registers and RIP */

struct answer {
	int count;
	struct hv_register_assoc registers[MAX_ANSWER];
};

enum verdict { GO_ON, HALTED, UNEXPECTED };

static void answer_with(struct answer *answer, uint32_t name, uint64_t value)
{
	struct hv_register_assoc *next = &answer->registers[answer->count++];

	*next = (struct hv_register_assoc){ .name = name, .low = value };
}

/* The hypervisor leaves RIP at the instruction: stepping over it is the VMM's. */
static void skip(struct answer *answer, const struct hv_x64_intercept_header *header)
{
	answer_with(answer, HV_REGISTER_RIP, header->rip + header->instruction_length);
}

static enum verdict on_message(const struct hv_message *message, struct answer *answer)
{
	const void *payload = message->payload;

	answer->count = 0;
	switch (message->type) {
	case HVMSG_X64_IO_PORT_INTERCEPT: {
		const struct hv_x64_io_message *io = payload;

		if (io->port != SERIAL_PORT || io->header.access_type != HV_INTERCEPT_ACCESS_WRITE)
			return UNEXPECTED;
		putchar((int)(io->rax & 0xff));
		skip(answer, &io->header);
		return GO_ON;
	}
	case HVMSG_UNMAPPED_GPA:
	case HVMSG_GPA_INTERCEPT: {
		const struct hv_x64_memory_message *memory = payload;

		if (memory->gpa != DEVICE_GPA || memory->header.access_type != HV_INTERCEPT_ACCESS_READ)
			return UNEXPECTED;
		/* The guest reads a byte into AL (opcode A0) and keeps nothing in the rest of RAX. */
		answer_with(answer, HV_REGISTER_RAX, DEVICE_VALUE);
		skip(answer, &memory->header);
		return GO_ON;
	}
	case HVMSG_X64_CPUID_INTERCEPT: {
		const struct hv_x64_cpuid_message *cpuid = payload;
		int ours = (uint32_t)cpuid->rax == CPUID_LEAF;

		answer_with(answer, HV_REGISTER_RAX, ours ? 0 : cpuid->default_rax);
		answer_with(answer, HV_REGISTER_RBX, ours ? CPUID_EBX : cpuid->default_rbx);
		answer_with(answer, HV_REGISTER_RCX, ours ? 0 : cpuid->default_rcx);
		answer_with(answer, HV_REGISTER_RDX, ours ? 0 : cpuid->default_rdx);
		skip(answer, &cpuid->header);
		return GO_ON;
	}
	case HVMSG_X64_MSR_INTERCEPT: {
		const struct hv_x64_msr_message *msr = payload;

		if (msr->msr != SAMPLE_MSR || msr->header.access_type != HV_INTERCEPT_ACCESS_READ)
			return UNEXPECTED;
		answer_with(answer, HV_REGISTER_RAX, SAMPLE_MSR_VALUE);
		answer_with(answer, HV_REGISTER_RDX, 0);
		skip(answer, &msr->header);
		return GO_ON;
	}
	case HVMSG_X64_HALT:
		return HALTED;
	default:
		return UNEXPECTED;
	}
}

#endif

/* Runs a guest program on /dev/mshv and prints what it writes to its serial port. Linux 7.2 interface.
   usage: hello GUEST; exits with 0 when the guest halts. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "exits.h"
#include "load.h"
#include "mshv.h"

#ifndef GUEST_MEMORY
#define GUEST_MEMORY MAP_SHARED
#endif

static int failed(const char *what)
{
	perror(what);
	return 1;
}

static int hypercall(int fd, uint16_t code, uint16_t reps, void *input, uint16_t bytes)
{
	struct mshv_root_hvcall call = { .code = code, .reps = reps, .in_sz = bytes, .in_ptr = (uintptr_t)input };

	return ioctl(fd, MSHV_ROOT_HVCALL, &call);
}

static int install_intercept(int partition, uint32_t access, uint32_t type, uint64_t parameter)
{
	struct {
		uint64_t partition_id;
		uint32_t access, type;
		uint64_t parameter;
	} input = { .access = access, .type = type, .parameter = parameter };

	return hypercall(partition, HVCALL_INSTALL_INTERCEPT, 0, &input, sizeof(input));
}

static int set_registers(int vp, const struct hv_register_assoc *registers, int count)
{
	struct {
		uint64_t partition_id;
		uint32_t vp_index;
		uint32_t vtl;
		struct hv_register_assoc elements[MAX_ANSWER];
	} input = { 0 };
	size_t bytes = count * sizeof(*registers);

	memcpy(input.elements, registers, bytes);
	return hypercall(vp, HVCALL_SET_VP_REGISTERS, count, &input, 16 + bytes);
}

static int start_at_entry(int vp)
{
	/* Attributes: present, code, executable, readable, accessed; limit 64 KiB. */
	struct hv_register_assoc start[] = {
		{ .name = HV_REGISTER_CS, .low = 0, .high = 0xffffull | 0x9bull << 48 },
		{ .name = HV_REGISTER_RIP, .low = GUEST_ENTRY },
		{ .name = HV_REGISTER_RFLAGS, .low = 2 },
		{ .name = HV_REGISTER_RSP, .low = GUEST_ENTRY },
	};

	return set_registers(vp, start, 4);
}

static int run(int vp)
{
	struct hv_message message;
	struct answer answer;

	for (;;) {
		if (ioctl(vp, MSHV_RUN_VP, &message) < 0)
			return failed("MSHV_RUN_VP");
		switch (on_message(&message, &answer)) {
		case HALTED:
			return 0;
		case UNEXPECTED:
			fprintf(stderr, "unexpected message 0x%x\n", message.type);
			return 1;
		case GO_ON:
			if (set_registers(vp, answer.registers, answer.count) < 0)
				return failed("HVCALL_SET_VP_REGISTERS");
		}
	}
}

int main(int argc, char **argv)
{
	struct mshv_create_partition create = { 0 };
	struct mshv_user_mem_region region = {
		.size = GUEST_BYTES,
		.flags = MSHV_MEM_WRITABLE | MSHV_MEM_EXECUTABLE,
	};
	uint32_t index = 0;
	unsigned char *memory;
	int device, partition, vp, status;

	if (argc != 2) {
		fprintf(stderr, "usage: hello GUEST\n");
		return 2;
	}
	memory = load_guest(argv[1], GUEST_MEMORY);
	if (!memory)
		return 1;
	device = open("/dev/mshv", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return failed("/dev/mshv");
	partition = ioctl(device, MSHV_CREATE_PARTITION, &create);
	if (partition < 0)
		return failed("MSHV_CREATE_PARTITION");
	if (ioctl(partition, MSHV_INITIALIZE_PARTITION) < 0)
		return failed("MSHV_INITIALIZE_PARTITION");
	region.userspace_addr = (uintptr_t)memory;
	if (ioctl(partition, MSHV_SET_GUEST_MEMORY, &region) < 0)
		return failed("MSHV_SET_GUEST_MEMORY");
	vp = ioctl(partition, MSHV_CREATE_VP, &index);
	if (vp < 0)
		return failed("MSHV_CREATE_VP");
	if (install_intercept(partition, 4, HV_INTERCEPT_TYPE_X64_CPUID, CPUID_LEAF) < 0 ||
	    install_intercept(partition, 1, HV_INTERCEPT_TYPE_X64_MSR, 0) < 0)
		return failed("HVCALL_INSTALL_INTERCEPT");
	if (start_at_entry(vp) < 0)
		return failed("HVCALL_SET_VP_REGISTERS");
	status = run(vp);
	region.flags = MSHV_MEM_UNMAP;
	if (ioctl(partition, MSHV_SET_GUEST_MEMORY, &region) < 0)
		return failed("MSHV_SET_GUEST_MEMORY (unmap)");
	close(vp);
	close(partition);
	close(device);
	return status;
}

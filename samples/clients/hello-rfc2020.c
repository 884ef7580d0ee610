/* Runs a guest program on /dev/mshv and prints what it writes to its serial port. Interface of the RFC of 2020.
   usage: hello-rfc2020 GUEST; exits with 0 when the guest halts. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "exits.h"
#include "load.h"
#include "mshv-rfc2020.h"

#define PAGE 4096

static int failed(const char *what)
{
	perror(what);
	return 1;
}

static int set_registers(int vp, const struct hv_register_assoc *registers, int count)
{
	uint32_t names[MAX_ANSWER];
	uint64_t values[MAX_ANSWER][2];
	struct rfc_vp_registers set = { .count = count, .names = names, .values = values };

	for (int i = 0; i < count; i++) {
		names[i] = registers[i].name;
		values[i][0] = registers[i].low;
		values[i][1] = registers[i].high;
	}
	return ioctl(vp, RFC_SET_VP_REGISTERS, &set);
}

static int start_at_entry(int vp)
{
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
		if (ioctl(vp, RFC_RUN_VP, &message) < 0)
			return failed("MSHV_RUN_VP");
		switch (on_message(&message, &answer)) {
		case HALTED:
			return 0;
		case UNEXPECTED:
			fprintf(stderr, "unexpected message 0x%x\n", message.type);
			return 1;
		case GO_ON:
			if (set_registers(vp, answer.registers, answer.count) < 0)
				return failed("MSHV_SET_VP_REGISTERS");
		}
	}
}

/* Where the guest stopped, read by the call for it; the LAPIC by the other one; the register page as memory. */
static int look(int vp)
{
	static unsigned char lapic[PAGE] __attribute__((aligned(PAGE)));
	uint32_t names[] = { HV_REGISTER_RIP, HV_REGISTER_RAX };
	uint64_t values[2][2] = { { 0 } };
	struct rfc_vp_registers get = { .count = 2, .names = names, .values = values };
	struct rfc_vp_state state = { .type = HV_VP_STATE_LAPIC, .buf_size = sizeof(lapic), .buf = lapic };
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, vp, 0);

	if (page == MAP_FAILED)
		return failed("mmap");
	if (ioctl(vp, RFC_GET_VP_REGISTERS, &get) < 0)
		return failed("MSHV_GET_VP_REGISTERS");
	if (ioctl(vp, RFC_GET_VP_STATE, &state) < 0)
		return failed("MSHV_GET_VP_STATE");
	return values[0][0] > GUEST_ENTRY ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct rfc_create_partition create = { 0 };
	struct rfc_mem_region region = {
		.size = GUEST_BYTES,
		.flags = HV_MAP_GPA_READABLE | HV_MAP_GPA_WRITABLE | HV_MAP_GPA_EXECUTABLE,
	};
	struct rfc_install_intercept cpuid = { 4, HV_INTERCEPT_TYPE_X64_CPUID, CPUID_LEAF };
	struct rfc_install_intercept msr = { 1, HV_INTERCEPT_TYPE_X64_MSR, 0 };
	uint32_t version = 0, index = 0;
	unsigned char *memory;
	int device, partition, vp, status;

	if (argc != 2) {
		fprintf(stderr, "usage: hello-rfc2020 GUEST\n");
		return 2;
	}
	memory = load_guest(argv[1], MAP_PRIVATE);
	if (!memory)
		return 1;
	device = open("/dev/mshv", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return failed("/dev/mshv");
	if (ioctl(device, RFC_REQUEST_VERSION, &version) < 0)
		return failed("MSHV_REQUEST_VERSION");
	partition = ioctl(device, RFC_CREATE_PARTITION, &create);
	if (partition < 0)
		return failed("MSHV_CREATE_PARTITION");
	region.userspace_addr = (uintptr_t)memory;
	if (ioctl(partition, RFC_MAP_GUEST_MEMORY, &region) < 0)
		return failed("MSHV_MAP_GUEST_MEMORY");
	if (ioctl(partition, RFC_INSTALL_INTERCEPT, &cpuid) < 0 || ioctl(partition, RFC_INSTALL_INTERCEPT, &msr) < 0)
		return failed("MSHV_INSTALL_INTERCEPT");
	vp = ioctl(partition, RFC_CREATE_VP, &index);
	if (vp < 0)
		return failed("MSHV_CREATE_VP");
	if (start_at_entry(vp) < 0)
		return failed("MSHV_SET_VP_REGISTERS");
	status = run(vp);
	if (status == 0)
		status = look(vp);
	if (ioctl(partition, RFC_UNMAP_GUEST_MEMORY, &region) < 0)
		return failed("MSHV_UNMAP_GUEST_MEMORY");
	close(vp);
	close(partition);
	close(device);
	return status;
}

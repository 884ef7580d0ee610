/* A VMM that answers one port access of its guest in ten, and does nothing about the others but run the VP again. */
#include "common.h"

#define HVCALL_SET_VP_REGISTERS 0x51
#define RIP 0x20010

int main(int argc, char **argv)
{
	/* At the reset vector: out 0x10, al; jmp to it */
	static const unsigned char code[] = { 0xe6, 0x10, 0xeb, 0xfc };
	int device = open_device();
	int partition = create_partition(device);
	int vp = boot(partition, new_page(MAP_SHARED), code, sizeof(code));
	struct {
		uint64_t partition;
		uint32_t vp, vtl;
		struct hv_register_assoc element;
	} behind = { .element = { .name = RIP, .low = 0xfff2 } };
	struct mshv_root_hvcall set = {
		.code = HVCALL_SET_VP_REGISTERS,
		.reps = 1,
		.in_sz = sizeof(behind),
		.in_ptr = (uintptr_t)&behind,
	};
	struct hv_message message;

	for (int i = 0, rounds = argc > 1 ? atoi(argv[1]) : 20; i < rounds; i++) {
		ioctl(vp, MSHV_RUN_VP, &message);
		if (i % 10 == 0)
			ioctl(vp, MSHV_ROOT_HVCALL, &set);
		usleep(20000);
	}
	printf("message=%x\n", message.type);
	return 0;
}

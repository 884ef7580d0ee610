/* A guest that executes what the emulated processor does not have. */
#include "common.h"

int main(void)
{
	static const unsigned char code[] = { 0xd9, 0xe8 }; /* fld1 */
	struct mshv_user_mem_region region = {
		.size = 4096,
		.guest_pfn = 0xfffff,
		.flags = MSHV_MEM_WRITABLE | MSHV_MEM_EXECUTABLE,
	};
	unsigned char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int partition = create_partition(open_device());
	struct hv_message message;
	int vp;

	memcpy(memory + 0xff0, code, sizeof(code));
	region.userspace_addr = (uintptr_t)memory;
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	show("memory", ioctl(partition, MSHV_SET_GUEST_MEMORY, &region));
	vp = create_vp(partition, 0);
	show("run", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x\n", message.type);
	return 0;
}

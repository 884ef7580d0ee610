/* Private memory is given to the guest in parts, then as a whole: what the program writes later is seen at both places. */
#include "common.h"

int main(void)
{
	/* At the reset vector: jmp 1000h:0, which is the first page of the whole. There: hlt */
	static const unsigned char jump[] = { 0xea, 0, 0, 0, 0x10 };
	unsigned char *memory = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int partition = create_partition(open_device());
	struct hv_message message;
	int vp;

	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	show("part", give_memory(partition, memory + 4096, 4096, 0xfffff));
	show("whole", give_memory(partition, memory, 3 * 4096, 0x10));
	show("again", give_memory(partition, memory, 2 * 4096, 0x20));
	memcpy(memory + 4096 + 0xff0, jump, sizeof(jump));
	memory[0] = 0xf4;
	vp = create_vp(partition, 0);
	show("run", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x\n", message.type);
	return 0;
}

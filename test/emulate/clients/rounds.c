/* A partition whose VP stops again and again, while others come and go: what happens late needs what was made early. */
#include "common.h"

int main(int argc, char **argv)
{
	/* At the reset vector: hlt, jmp to it */
	static const unsigned char loop[] = { 0xf4, 0xeb, 0xfd };
	unsigned char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int rounds = argc > 1 ? atoi(argv[1]) : 1;
	int device = open_device();
	int partition = create_partition(device);
	struct hv_message message;
	int vp;

	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	memcpy(memory + 0xff0, loop, sizeof(loop));
	give_memory(partition, memory, 4096, 0xfffff);
	vp = create_vp(partition, 0);
	for (int i = 0; i < rounds; i++) {
		int other = create_partition(device);

		ioctl(other, MSHV_INITIALIZE_PARTITION);
		close(other);
		if (ioctl(vp, MSHV_RUN_VP, &message) < 0)
			return 1;
	}
	printf("message=%x\n", message.type);
	return 0;
}

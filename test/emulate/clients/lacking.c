/* A guest that executes what the emulated processor does not have. */
#include "common.h"

int main(void)
{
	static const unsigned char code[] = { 0xd9, 0xe0, 0x9b }; /* fchs of an empty register; wait */
	int partition = create_partition(open_device());
	struct hv_message message;
	int vp = boot(partition, new_page(MAP_SHARED), code, sizeof(code));

	show("run", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x\n", message.type);
	return 0;
}

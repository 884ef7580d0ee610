/* Makes partitions one after another, until it is killed. */
#include "common.h"

int main(void)
{
	int device = open_device();

	printf("%d\n", getpid());
	fflush(stdout);
	for (;;) {
		int partition = create_partition(device);

		if (partition < 0 || ioctl(partition, MSHV_INITIALIZE_PARTITION) < 0)
			return 1;
		close(partition);
	}
}

/* Makes partitions one after another, until it is killed. Tells its process, then of each how many there were and
 * when the last was done, in ns. */
#include "common.h"
#include <time.h>

int main(void)
{
	int device = open_device();
	unsigned long count = 0;
	struct timespec now;

	printf("%d\n", getpid());
	fflush(stdout);
	for (;;) {
		int partition = create_partition(device);

		if (partition < 0 || ioctl(partition, MSHV_INITIALIZE_PARTITION) < 0)
			return 1;
		close(partition);
		clock_gettime(CLOCK_MONOTONIC, &now);
		printf("%lu %lu\n", ++count, now.tv_sec * 1000000000ul + now.tv_nsec);
		fflush(stdout);
	}
}

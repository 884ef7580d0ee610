/* Four threads, each with a partition and VPs of its own, all calling at once. */
#include "../../emulate/clients/common.h"
#include <pthread.h>

#define THREADS 4
#define VPS 3

static int device;

static void *work(void *number)
{
	int partition = create_partition(device);

	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	for (uint32_t index = 0; index < VPS; index++) {
		int vp = create_vp(partition, index);

		create_vp(partition, index);
		close(vp);
	}
	close(partition);
	return number;
}

int main(void)
{
	pthread_t threads[THREADS];

	device = open_device();
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return show("threads", 0);
}

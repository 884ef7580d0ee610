/*
 * calls CALLS PERCENT THREADS: so many system calls in all, of which so many percent are MSHV_ROOT_HVCALL with 64 bytes of input and
 * of output, and the rest getppid(). The file is /dev/null, so each of them fails with ENOTTY. Prints nanoseconds by the clock.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* struct mshv_root_hvcall of Linux include/uapi/linux/mshv.h. */
struct hypercall {
	uint16_t code, reps, in_sz, out_sz, status;
	uint8_t reserved[6];
	uint64_t in_ptr, out_ptr;
};
#define MSHV_ROOT_HVCALL _IOWR(0xB8, 0x07, struct hypercall)

static long calls, percent;
static int file;
static pthread_barrier_t begin;

static void *work(void *unused)
{
	char in[64] = { 0 }, out[64] = { 0 };
	long due = 0;

	pthread_barrier_wait(&begin);
	for (long i = 0; i < calls; i++) {
		due += percent;
		if (due < 100) {
			syscall(SYS_getppid);
			continue;
		}
		due -= 100;
		struct hypercall call = { .code = 0x50, .in_sz = sizeof(in), .out_sz = sizeof(out),
					  .in_ptr = (uintptr_t)in, .out_ptr = (uintptr_t)out };
		memcpy(in, &i, sizeof(i));
		ioctl(file, MSHV_ROOT_HVCALL, &call);
	}
	pthread_barrier_wait(&begin);
	return unused;
}

int main(int argc, char **argv)
{
	struct timespec start, end;
	pthread_t thread;
	long threads = argc > 3 ? atol(argv[3]) : 1;

	calls = argc > 1 ? atol(argv[1]) / threads : 1000;
	percent = argc > 2 ? atol(argv[2]) : 100;
	file = open("/dev/null", O_RDWR);
	pthread_barrier_init(&begin, NULL, threads + 1);
	for (long i = 0; i < threads; i++)
		pthread_create(&thread, NULL, work, NULL);
	pthread_barrier_wait(&begin);
	clock_gettime(CLOCK_MONOTONIC, &start);
	pthread_barrier_wait(&begin);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%lld\n", (end.tv_sec - start.tv_sec) * 1000000000LL + end.tv_nsec - start.tv_nsec);
	return 0;
}

/* What the test programs share: the numbers of the samples, and a way to print what a call came to. */
#ifndef TEST_COMMON_H
#define TEST_COMMON_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../../../samples/clients/mshv.h"

/* `name=ok` for a descriptor or 0, else the name of the error. */
static inline int show(const char *name, long result)
{
	printf("%s=%s\n", name, result >= 0 ? "ok" : strerrorname_np(errno));
	fflush(stdout);
	return (int)result;
}

static inline int open_device(void)
{
	return open("/dev/mshv", O_RDWR | O_CLOEXEC);
}

static inline int create_partition(int device)
{
	struct mshv_create_partition create = { 0 };

	return ioctl(device, MSHV_CREATE_PARTITION, &create);
}

static inline int create_vp(int partition, uint32_t index)
{
	return ioctl(partition, MSHV_CREATE_VP, &index);
}

/* Memory of this program becomes that of the guest from a page on; the guest may do everything with it. */
static inline int give_memory(int partition, unsigned char *from, uint64_t size, uint64_t page)
{
	struct mshv_user_mem_region region = {
		.size = size,
		.guest_pfn = page,
		.userspace_addr = (uintptr_t)from,
		.flags = MSHV_MEM_WRITABLE | MSHV_MEM_EXECUTABLE,
	};

	return ioctl(partition, MSHV_SET_GUEST_MEMORY, &region);
}

/* A page of memory, MAP_SHARED or MAP_PRIVATE. */
static inline unsigned char *new_page(int sharing)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
}

/* The VP of a guest whose memory is one page, the one with the reset vector; the code stands there. */
static inline int boot(int partition, unsigned char *memory, const unsigned char *code, size_t size)
{
	memcpy(memory + 0xff0, code, size);
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	show("memory", give_memory(partition, memory, 4096, 0xfffff));
	return create_vp(partition, 0);
}

/* For a thread: runs a VP that is not expected to stop, and ends the program when it does. */
static inline void *run_to_the_end(void *vp)
{
	struct hv_message message;

	show("run", ioctl(*(int *)vp, MSHV_RUN_VP, &message));
	printf("message=%x\n", message.type);
	exit(1);
}

#endif

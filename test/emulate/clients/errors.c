/* Pointers that lead nowhere, arguments of the wrong size, calls on the wrong kind of file. */
#include "common.h"

#define NOWHERE ((void *)0x10)
#define NOT_CANONICAL ((void *)0x8000000000000000)

int main(void)
{
	struct mshv_create_partition unknown_flag = { .pt_flags = 1ull << 40 };
	struct mshv_create_partition isolation = { .pt_isolation = 7 };
	unsigned char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mshv_create_partition *split = (void *)(page + 4096 - 8);
	/* MSHV_GET_GPAP_ACCESS_BITMAP of one page, into memory that is not there. */
	struct {
		uint8_t type, op, reserved[6];
		uint64_t pages, base;
		void *bits;
	} bitmap = { .pages = 1, .bits = NOWHERE };
	unsigned char *two_pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int device = open_device();
	int partition, vp;

	munmap(page + 4096, 4096);
	memset(page, 0, 4096);
	show("null", ioctl(device, MSHV_CREATE_PARTITION, NULL));
	show("nowhere", ioctl(device, MSHV_CREATE_PARTITION, NOWHERE));
	show("not-canonical", ioctl(device, MSHV_CREATE_PARTITION, NOT_CANONICAL));
	show("half", ioctl(device, MSHV_CREATE_PARTITION, split));
	show("unknown-flag", ioctl(device, MSHV_CREATE_PARTITION, &unknown_flag));
	show("isolation", ioctl(device, MSHV_CREATE_PARTITION, &isolation));
	show("wrong-size", ioctl(device, 0x4018b800, &isolation));
	show("wrong-file", ioctl(device, MSHV_RUN_VP, NULL));
	partition = create_partition(device);
	show("initialize", ioctl(partition, MSHV_INITIALIZE_PARTITION));
	show("initialize-again", ioctl(partition, MSHV_INITIALIZE_PARTITION));
	show("vp-index", create_vp(partition, 256));
	show("vp-nowhere", ioctl(partition, MSHV_CREATE_VP, NOWHERE));
	vp = show("vp", create_vp(partition, 3));
	show("memory-unaligned", give_memory(partition, two_pages + 8, 4096, 1));
	show("memory-nowhere", give_memory(partition, NOWHERE, 4096, 1));
	show("vp-again", create_vp(partition, 3));
	show("unknown", ioctl(vp, 0xb8ff, NULL));
	show("no-bitmap", ioctl(partition, 0xc020b806, &bitmap));
	show("register-page", mmap(NULL, 4096, PROT_READ, MAP_SHARED, vp, 0) == MAP_FAILED ? -1 : 0);
	show("message-page", mmap(NULL, 4096, PROT_READ, MAP_SHARED, vp, 4096) == MAP_FAILED ? -1 : 0);
	show("ghcb-page", mmap(NULL, 4096, PROT_READ, MAP_SHARED, vp, 8192) == MAP_FAILED ? -1 : 0);
	show("no-page", mmap(NULL, 4096, PROT_READ, MAP_SHARED, vp, 12288) == MAP_FAILED ? -1 : 0);
	show("partition-page", mmap(NULL, 4096, PROT_READ, MAP_SHARED, partition, 0) == MAP_FAILED ? -1 : 0);
	show("foreign", ioctl(open("/dev/null", O_RDWR), MSHV_RUN_VP, NULL));
	return 0;
}

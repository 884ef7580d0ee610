/*
 * Memory of 8 GiB of which a guest touches two pages, private and shared; regions that overlap; memory that is taken from a VP
 * between two runs, and while it runs.
 */
#include "common.h"
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

#define SIZE (8ull << 30)
#define RESET 0xfffffff0ull
#define TARGET 0x1000

/* mov byte [0x1000], 0x5a; hlt */
static const unsigned char writes[] = { 0xc6, 0x06, 0x00, 0x10, 0x5a, 0xf4 };
/* again: mov byte [0x1000], 0x5b; jmp again */
static const unsigned char keeps_writing[] = { 0xc6, 0x06, 0x00, 0x10, 0x5b, 0xeb, 0xf9 };

static long resident_mib(void)
{
	long total, pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (fscanf(file, "%ld %ld", &total, &pages) != 2)
		pages = 1 << 30;
	fclose(file);
	return pages / 256;
}

static int take_memory(int partition, unsigned char *from, uint64_t size, uint64_t page)
{
	struct mshv_user_mem_region region = {
		.size = size,
		.guest_pfn = page,
		.userspace_addr = (uintptr_t)from,
		.flags = MSHV_MEM_UNMAP,
	};

	return ioctl(partition, MSHV_SET_GUEST_MEMORY, &region);
}

/* Seven bytes at most stand between the reset vector and the end of the first 4 GiB. */
static void big(const char *name, unsigned char *memory)
{
	int partition = create_partition(open_device()), vp;
	struct hv_message message = { 0 };

	printf("%s\n", name);
	memcpy(memory + RESET, writes, sizeof(writes));
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	show("big", give_memory(partition, memory, SIZE, 0));
	show("overlap", give_memory(partition, memory, 4096, 5));
	show("part", take_memory(partition, memory, 4096, 5));
	vp = create_vp(partition, 0);
	show("run", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x wrote=%x small=%d\n", message.type, memory[TARGET], resident_mib() < 64);
	show("take", take_memory(partition, memory, SIZE, 0));
	close(vp);
	close(partition);
	munmap(memory, SIZE);
}

static void *runs(void *vp)
{
	struct hv_message message = { 0 };

	show("runs", ioctl(*(int *)vp, MSHV_RUN_VP, &message));
	printf("message=%x\n", message.type);
	return NULL;
}

int main(void)
{
	int file = memfd_create("memory", 0), partition, vp;
	unsigned char *code = new_page(MAP_PRIVATE), *one = new_page(MAP_PRIVATE), *other = new_page(MAP_SHARED);
	struct hv_message message = { 0 };
	struct stat status;
	pthread_t thread;

	big("private", mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	ftruncate(file, SIZE);
	big("shared", mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0));
	fstat(file, &status);
	printf("blocks=%d\n", status.st_blocks < 64);

	printf("remapped\n");
	partition = create_partition(open_device());
	vp = boot(partition, code, writes, sizeof(writes));
	show("one", give_memory(partition, one, 4096, 1));
	show("run", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x wrote=%x\n", message.type, one[0]);
	one[0] = 0;
	show("take", take_memory(partition, one, 4096, 1));
	show("other", give_memory(partition, other, 4096, 1));
	/* It stopped at its HLT. */
	memcpy(code + 0xff5, keeps_writing, sizeof(keeps_writing));
	pthread_create(&thread, NULL, runs, &vp);
	while (__atomic_load_n(other, __ATOMIC_RELAXED) != 0x5b)
		usleep(1000);
	/* By now the guest runs in a thread of its own. */
	usleep(100000);
	show("take", take_memory(partition, other, 4096, 1));
	pthread_join(thread, NULL);
	printf("kept=%x\n", one[0]);
	return 0;
}

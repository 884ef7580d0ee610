/*
 * Memory that a guest may only read, and its exits; which pages of 8 GiB were touched; what a program does to memory that its guest
 * has: its protection, what becomes of it in children, and taking it away.
 */
#include "common.h"
#include <signal.h>
#include <sys/wait.h>

#define SIZE (8ull << 30)
/* Below 4 GiB, where the guest has been. */
#define PAGES (1ul << 20)
#define RESET 0xfffffff0ull
#define MSHV_GET_GPAP_ACCESS_BITMAP 0xc020b806
#define ACCESSED 0
#define DIRTY 1
#define CLEAR 1

/* mov al, [1000h]; mov byte [1000h], 5ah; hlt */
static const unsigned char code[] = { 0xa0, 0x00, 0x10, 0xc6, 0x06, 0x00, 0x10, 0x5a, 0xf4 };

static void run(int vp, const unsigned char *page)
{
	struct hv_message message = { 0 };
	struct hv_x64_memory_message *exit = (void *)message.payload;

	show("run", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x", message.type);
	if (message.type == HVMSG_GPA_INTERCEPT || message.type == HVMSG_UNMAPPED_GPA)
		printf(" access=%d gpa=%lx", exit->header.access_type, (unsigned long)exit->gpa);
	printf(" page=%x\n", page[0]);
}

static int map(int partition, unsigned char *from, uint64_t page, int flags)
{
	struct mshv_user_mem_region region = {
		.size = 4096, .guest_pfn = page, .userspace_addr = (uintptr_t)from, .flags = flags
	};

	return ioctl(partition, MSHV_SET_GUEST_MEMORY, &region);
}

static void read_only(void)
{
	int partition = create_partition(open_device());
	unsigned char *page = new_page(MAP_PRIVATE);
	int vp = boot(partition, new_page(MAP_PRIVATE), code, sizeof(code));

	page[0] = 0x33;
	show("readable", map(partition, page, 1, 0));
	run(vp, page);
	/* The guest has not come further; now it may. */
	show("take", map(partition, page, 1, MSHV_MEM_UNMAP));
	run(vp, page);
	show("writable", map(partition, page, 1, MSHV_MEM_WRITABLE));
	run(vp, page);
}

/* How many of all pages. */
static void count(int partition, const char *name, int type, int op)
{
	static unsigned char bits[PAGES / 8];
	struct {
		uint8_t type, op, reserved[6];
		uint64_t pages, base;
		void *bits;
	} bitmap = { .type = type, .op = op, .pages = PAGES, .bits = bits };
	int set = 0;

	memset(bits, 0xff, sizeof(bits));
	show(name, ioctl(partition, MSHV_GET_GPAP_ACCESS_BITMAP, &bitmap));
	for (size_t n = 0; n < sizeof(bits); n++)
		set += __builtin_popcount(bits[n]);
	printf("set=%d first=%x\n", set, bits[0]);
}

static void touched(void)
{
	unsigned char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int partition = create_partition(open_device()), vp;

	memcpy(memory + RESET, code, sizeof(code));
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	show("big", give_memory(partition, memory, SIZE, 0));
	vp = create_vp(partition, 0);
	count(partition, "before", ACCESSED, 0);
	run(vp, memory + 0x1000);
	count(partition, "accessed", ACCESSED, 0);
	count(partition, "dirty", DIRTY, CLEAR);
	count(partition, "dirty-again", DIRTY, 0);
	munmap(memory, SIZE);
}

/* Whether a child has a page, and what it finds there; whether the kernel may write it for this program. */
static void in_child(const char *name, unsigned char *page)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(page[0]);
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status))
		printf("%s=%s\n", name, WTERMSIG(status) == SIGSEGV ? "absent" : "killed");
	else
		printf("%s=%x\n", name, WEXITSTATUS(status));
}

static void protections(void)
{
	int partition = create_partition(open_device()), zero = open("/dev/zero", O_RDONLY);
	unsigned char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int n = 0; n < 3; n++)
		pages[4096 * n] = 0x40 + n;
	madvise(pages, 4096, MADV_DONTFORK);
	mprotect(pages + 4096, 4096, PROT_READ);
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	show("three", give_memory(partition, pages, 3 * 4096, 16));
	in_child("not-forked", pages);
	in_child("forked", pages + 8192);
	show("read-protected", read(zero, pages + 4096, 1));
	show("not-protected", read(zero, pages + 8192, 1));
	printf("pages=%x %x %x\n", pages[0], pages[4096], pages[8192]);
}

/* The guest has it no more once the program has it elsewhere, and it can be taken back. */
static void taken_away(void)
{
	int partition = create_partition(open_device());
	unsigned char *page = new_page(MAP_PRIVATE), *moved;
	int vp = boot(partition, new_page(MAP_PRIVATE), code, sizeof(code));

	show("page", map(partition, page, 1, MSHV_MEM_WRITABLE));
	moved = mremap(page, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, page - (1 << 20));
	show("moved", moved == MAP_FAILED ? -1 : 0);
	run(vp, moved);
	show("unmap", munmap(moved, 4096));
	show("taken", map(partition, page, 1, MSHV_MEM_UNMAP));
	show("again", map(partition, page, 1, MSHV_MEM_WRITABLE));
}

int main(void)
{
	read_only();
	touched();
	protections();
	taken_away();
	return 0;
}

/* A guest that runs for ever, from its reset vector on: signals end MSHV_RUN_VP, and it goes on where it was. */
#include "common.h"
#include <signal.h>
#include <sys/time.h>

static void nothing(int signal)
{
	(void)signal;
}

int main(void)
{
	/* inc word [0xfff0] would need writable code: the guest counts in AX instead. again: inc ax; jmp again */
	static const unsigned char code[] = { 0x40, 0xeb, 0xfd };
	struct itimerval soon = { .it_value = { .tv_usec = 200000 } };
	struct mshv_user_mem_region region = {
		.size = 4096,
		.guest_pfn = 0xfffff,
		.flags = MSHV_MEM_WRITABLE | MSHV_MEM_EXECUTABLE,
	};
	unsigned char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int partition = create_partition(open_device());
	struct hv_message message;
	int vp;

	memcpy(memory + 0xff0, code, sizeof(code));
	region.userspace_addr = (uintptr_t)memory;
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	show("memory", ioctl(partition, MSHV_SET_GUEST_MEMORY, &region));
	vp = create_vp(partition, 0);
	/* Handlers that ask for restarted calls get EINTR all the same: the driver says so. */
	signal(SIGALRM, nothing);
	setitimer(ITIMER_REAL, &soon, NULL);
	show("run", ioctl(vp, MSHV_RUN_VP, &message));
	setitimer(ITIMER_REAL, &soon, NULL);
	show("again", ioctl(vp, MSHV_RUN_VP, &message));
	memory[0xff0] = 0xf4; /* hlt */
	setitimer(ITIMER_REAL, &soon, NULL);
	show("halt", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x\n", message.type);
	return 0;
}

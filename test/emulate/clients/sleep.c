/* A guest with the hypervisor's interrupt controller halts: it sleeps, the VMM hears nothing, and a signal ends the wait. */
#include "common.h"
#include <signal.h>
#include <sys/time.h>

static void nothing(int signal)
{
	(void)signal;
}

int main(void)
{
	/* again: inc ax; hlt; jmp again */
	static const unsigned char code[] = { 0x40, 0xf4, 0xeb, 0xfc };
	struct itimerval soon = { .it_value = { .tv_usec = 100000 } };
	struct mshv_user_mem_region region = {
		.size = 4096,
		.guest_pfn = 0xfffff,
		.flags = MSHV_MEM_WRITABLE | MSHV_MEM_EXECUTABLE,
	};
	struct mshv_create_partition create = { .pt_flags = MSHV_PT_LAPIC };
	unsigned char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int partition = ioctl(open_device(), MSHV_CREATE_PARTITION, &create);
	struct hv_message message;
	int vp;

	memcpy(memory + 0xff0, code, sizeof(code));
	region.userspace_addr = (uintptr_t)memory;
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	show("memory", ioctl(partition, MSHV_SET_GUEST_MEMORY, &region));
	vp = create_vp(partition, 0);
	signal(SIGALRM, nothing);
	/* The second time it is still asleep. */
	for (int round = 0; round < 2; round++) {
		setitimer(ITIMER_REAL, &soon, NULL);
		show("sleep", ioctl(vp, MSHV_RUN_VP, &message));
	}
	return 0;
}

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
	struct mshv_create_partition create = { .pt_flags = MSHV_PT_LAPIC };
	int partition = ioctl(open_device(), MSHV_CREATE_PARTITION, &create);
	struct hv_message message;
	int vp = boot(partition, new_page(MAP_PRIVATE), code, sizeof(code));

	signal(SIGALRM, nothing);
	/* The second time it is still asleep. */
	for (int round = 0; round < 2; round++) {
		setitimer(ITIMER_REAL, &soon, NULL);
		show("sleep", ioctl(vp, MSHV_RUN_VP, &message));
	}
	return 0;
}

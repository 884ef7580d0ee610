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
	static const unsigned char asks[] = { 0x0f, 0xa2, 0xeb, 0xfc }; /* again: cpuid; jmp again */
	/* Again and again: one that comes before the call is lost. */
	struct itimerval soon = { .it_value = { .tv_usec = 200000 }, .it_interval = { .tv_usec = 200000 } };
	int partition = create_partition(open_device());
	struct hv_message message;
	unsigned char *memory = new_page(MAP_PRIVATE);
	int vp = boot(partition, memory, code, sizeof(code));

	/* Handlers that ask for restarted calls get EINTR all the same: the driver says so. */
	signal(SIGALRM, nothing);
	setitimer(ITIMER_REAL, &soon, NULL);
	show("run", ioctl(vp, MSHV_RUN_VP, &message));
	setitimer(ITIMER_REAL, &soon, NULL);
	show("again", ioctl(vp, MSHV_RUN_VP, &message));
	/* One that never runs for long without asking something. */
	memcpy(memory + 0xff0, asks, sizeof(asks));
	setitimer(ITIMER_REAL, &soon, NULL);
	show("asks", ioctl(vp, MSHV_RUN_VP, &message));
	memory[0xff0] = 0xf4; /* hlt */
	setitimer(ITIMER_REAL, &soon, NULL);
	show("halt", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x\n", message.type);
	return 0;
}

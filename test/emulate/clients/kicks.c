/* Signals around MSHV_RUN_VP: before it, held back while it runs, and during it. */
#include "register-page.h"
#include <pthread.h>
#include <signal.h>

/* out 60h, al; again: jmp again */
static const unsigned char code[] = { 0xe6, 0x60, 0xeb, 0xfe };
static volatile int handled;

static void count(int number)
{
	(void)number;
	handled++;
}

static void *kick(void *thread)
{
	usleep(100000);
	pthread_kill(*(pthread_t *)thread, SIGUSR1);
	return NULL;
}

int main(void)
{
	int partition = create_partition(open_device());
	struct hv_message message = { 0 };
	volatile struct register_page *page;
	pthread_t self = pthread_self(), other;
	sigset_t set;
	int vp = boot(partition, new_page(MAP_PRIVATE), code, sizeof(code));

	page = map_page(vp, 0);
	signal(SIGUSR1, count);
	/* One that was handled before the call is over: the VP runs to its exit. */
	raise(SIGUSR1);
	show("before", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x handled=%d\n", message.type, handled);
	/* One that waits and is held back does not end it, and the exit comes again, for nothing was done about it. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	show("held", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x handled=%d rip=%x\n", message.type, handled, (int)page->rip);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	page->rip += 2;
	mark(page, IP);
	/* A kick by another thread, while the guest runs: where it stands can be read, and it goes on from there. */
	for (int i = 0; i < 2; i++) {
		pthread_create(&other, NULL, kick, &self);
		show("during", ioctl(vp, MSHV_RUN_VP, &message));
		pthread_join(other, NULL);
		printf("valid=%d rip=%x handled=%d\n", page->isvalid, (int)page->rip, handled);
	}
	/* What is put there after a kick counts as after an exit. */
	page->rip = 0xfff0;
	mark(page, IP);
	show("after", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x\n", message.type);
	return 0;
}

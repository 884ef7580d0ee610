/* Four VPs in four threads. Each waits in the guest's memory until all have come there, so that it ends only if all run at once;
 * what it is asked and told goes over the register page. Signals come all the while. */
#include "register-page.h"
#include <pthread.h>
#include <signal.h>

#define VPS 4
#define ROUNDS 20
#define COUNT_AT 0x5f0

/* jmp 0:600h */
static const unsigned char reset[] = { 0xea, 0x00, 0x06, 0x00, 0x00 };
static const unsigned char code[] = {
	0x31, 0xc0, 0x8e, 0xd8,             /* ds = 0 */
	0xb9, ROUNDS, 0x00,                 /* cx: rounds */
	0xe4, 0x60,                         /* next: al = who am I */
	0xe6, 0x61,                         /* I am al */
	0xe2, 0xfa,                         /* loop next */
	0xf0, 0xfe, 0x06, 0xf0, 0x05,       /* lock inc byte [5f0h] */
	0x80, 0x3e, 0xf0, 0x05, VPS,        /* wait: cmp byte [5f0h], 4 */
	0x72, 0xf9,                         /* jb wait */
	0xf4,
};

struct runner {
	volatile struct register_page *page;
	int vp, index, read, written, wrong;
	uint32_t end;
};

static void nothing(int number)
{
	(void)number;
}

static void *run(void *given)
{
	struct runner *self = given;
	volatile struct register_page *page = self->page;
	struct hv_message message;

	for (;;) {
		if (ioctl(self->vp, MSHV_RUN_VP, &message) != 0) {
			if (errno != EINTR)
				break;
			/* It stands still: nothing was taken away from it. */
			continue;
		}
		self->end = message.type;
		if (message.type != 0x80010000)
			break;
		self->wrong += page->isvalid != 1 || page->rip != payload(&message, 24, 8);
		if (payload(&message, 40, 2) == 0x60) {
			self->read++;
			page->rax = (page->rax & ~0xffull) | (unsigned)(self->index + 0x30);
			mark(page, GENERAL);
		} else {
			self->written++;
			self->wrong += self->read != self->written || (page->rax & 0xff) != (unsigned)(self->index + 0x30);
		}
		page->rip += payload(&message, 4, 1) & 15;
		mark(page, IP);
	}
	return NULL;
}

int main(void)
{
	/* Handlers without SA_RESTART and with: the driver gives EINTR either way. */
	struct sigaction once = { .sa_handler = nothing }, again = { .sa_handler = nothing, .sa_flags = SA_RESTART };
	unsigned char *memory = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int partition = create_partition(open_device());
	struct runner runners[VPS] = { 0 };
	pthread_t threads[VPS];
	int wrong = 0, halted = 0, exits = 0;

	sigaction(SIGUSR1, &once, NULL);
	sigaction(SIGUSR2, &again, NULL);
	memcpy(memory + 4096 + 0xff0, reset, sizeof(reset));
	memcpy(memory + 0x600, code, sizeof(code));
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	show("low", give_memory(partition, memory, 4096, 0));
	show("high", give_memory(partition, memory + 4096, 4096, 0xfffff));
	for (int i = 0; i < VPS; i++) {
		runners[i].vp = create_vp(partition, i);
		runners[i].index = i;
		runners[i].page = map_page(runners[i].vp, 0);
	}
	/* The last one comes late, when the others wait for it. */
	for (int i = 0; i < VPS; i++) {
		if (i == VPS - 1) {
			for (int waited = 0; memory[COUNT_AT] < VPS - 1 && waited < 10000; waited++) {
				usleep(1000);
				pthread_kill(threads[waited % (VPS - 1)], waited % 2 ? SIGUSR1 : SIGUSR2);
			}
			printf("waiting=%d\n", memory[COUNT_AT]);
			usleep(20000);
			for (int other = 0; other < VPS - 1; other++)
				pthread_kill(threads[other], SIGUSR1);
		}
		pthread_create(&threads[i], NULL, run, &runners[i]);
	}
	for (int i = 0; i < VPS; i++) {
		pthread_join(threads[i], NULL);
		wrong += runners[i].wrong;
		exits += runners[i].read + runners[i].written;
		halted += runners[i].end == 0x80010007;
	}
	printf("count=%d exits=%d wrong=%d halted=%d\n", memory[COUNT_AT], exits, wrong, halted);
	return 0;
}

/* A guest starts its second processor by INIT and SIPI, and its APIC timer wakes it from its sleep. */
#include "common.h"
#include <pthread.h>

#define VECTOR 0x41
#define TICKS_AT 0x5f0
#define STARTED_AT 0x5f1

/* jmp 0:600h */
static const unsigned char reset[] = { 0xea, 0x00, 0x06, 0x00, 0x00 };
static const unsigned char first[] = {
	0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, 0x00, 0x06,                   /* ds = ss = 0, sp = 600h */
	0x66, 0xb9, 0x1b, 0, 0, 0, 0x0f, 0x32, 0x0d, 0x00, 0x0c, 0x0f, 0x30,    /* x2APIC on */
	0x66, 0x31, 0xd2,                                                       /* edx = 0 */
	0x66, 0xb9, 0x0f, 0x08, 0, 0, 0x66, 0xb8, 0xff, 0x01, 0, 0, 0x0f, 0x30, /* software enable */
	0x66, 0xb9, 0x30, 0x08, 0, 0, 0x66, 0xb8, 0x00, 0x45, 0x0c, 0, 0x0f, 0x30, /* INIT to all others */
	0x66, 0xb8, 0x01, 0x46, 0x0c, 0, 0x0f, 0x30,                            /* SIPI: from 1000h */
	0x66, 0xb9, 0x3e, 0x08, 0, 0, 0x66, 0xb8, 0x0b, 0, 0, 0, 0x0f, 0x30,    /* timer: divided by 1 */
	0x66, 0xb9, 0x32, 0x08, 0, 0, 0x66, 0xb8, VECTOR, 0, 0x02, 0, 0x0f, 0x30, /* periodic */
	0x66, 0xb9, 0x38, 0x08, 0, 0, 0x66, 0xb8, 0x80, 0x84, 0x1e, 0, 0x0f, 0x30, /* 2,000,000 ticks are 10 ms */
	0xfb, 0xf4, 0xeb, 0xfc,                                                 /* sti; hlt; and again */
};
/* xor ax, ax; mov ds, ax; inc byte [5f1h]; cli; hlt */
static const unsigned char second[] = { 0x31, 0xc0, 0x8e, 0xd8, 0xfe, 0x06, 0xf1, 0x05, 0xfa, 0xf4 };
/* inc byte [5f0h]; end of interrupt; iret */
static const unsigned char handler[] = {
	0xfe, 0x06, 0xf0, 0x05, 0x66, 0xb9, 0x0b, 0x08, 0, 0, 0x66, 0x31, 0xc0, 0x66, 0x31, 0xd2, 0x0f, 0x30, 0xcf,
};

int main(void)
{
	struct mshv_create_partition create = { .pt_flags = MSHV_PT_LAPIC };
	unsigned char *memory = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile unsigned char *ticks = memory + TICKS_AT, *started = memory + STARTED_AT;
	int partition = ioctl(open_device(), MSHV_CREATE_PARTITION, &create);
	pthread_t threads[2];
	int vps[2];

	memcpy(memory + 2 * 4096 + 0xff0, reset, sizeof(reset));
	memcpy(memory + 0x600, first, sizeof(first));
	memcpy(memory + 0x700, handler, sizeof(handler));
	memcpy(memory + 0x1000, second, sizeof(second));
	memory[4 * VECTOR + 1] = 0x07;
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	show("low", give_memory(partition, memory, 2 * 4096, 0));
	show("high", give_memory(partition, memory + 2 * 4096, 4096, 0xfffff));
	for (int index = 1; index >= 0; index--) {
		vps[index] = create_vp(partition, index);
		pthread_create(&threads[index], NULL, run_to_the_end, &vps[index]);
		/* The second one waits to be started. */
		usleep(20000);
		if (index == 1)
			printf("started=%d\n", *started);
	}
	for (int waited = 0; (*ticks < 5 || *started == 0) && waited < 10000; waited++)
		usleep(1000);
	printf("ticked=%d started=%d\n", *ticks >= 5, *started);
	fflush(stdout);
	_exit(0);
}

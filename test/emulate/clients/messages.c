/* A guest finds the messages of a synthetic timer on its message page, the reference time's page there until it sets its TSC, and below both
 * its own memory again. */
#include "common.h"
#include <pthread.h>

#define VECTOR 0x41
#define COUNT_AT 0x5f0
#define TYPE_AT 0x5f2
#define BELOW_AT 0x5f3
#define USED_AT 0x5f4
#define UNUSED_AT 0x5f5
#define BELOW 0x5a

#define WORD(value) (value) & 0xff, ((value) >> 8) & 0xff, ((value) >> 16) & 0xff, ((value) >> 24) & 0xff
/* mov ecx, msr; mov eax, value; wrmsr */
#define WRITE(msr, value) 0x66, 0xb9, WORD(msr), 0x66, 0xb8, WORD(value), 0x0f, 0x30

/* jmp 0:600h */
static const unsigned char reset[] = { 0xea, 0x00, 0x06, 0x00, 0x00 };
static const unsigned char code[] = {
	0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, 0x00, 0x06, 0x66, 0x31, 0xd2, /* ds = ss = 0, sp = 600h, edx = 0 */
	WRITE(0x40000080, 1),        /* SCONTROL */
	WRITE(0x40000083, 0x1001),   /* SIMP: 1000h */
	WRITE(0x40000092, VECTOR),   /* SINT2 */
	WRITE(0x400000b1, 100000),   /* STIMER0: every 10 ms, */
	WRITE(0x400000b0, 0x20003),  /* to SINT2 */
	0xfb, 0xf4, 0x80, 0x3e, 0xf0, 0x05, 0x03, 0x72, 0xf7, /* again: sti; hlt; cmp byte [5f0h], 3; jb again */
	0xfa, 0x66, 0x31, 0xd2,
	WRITE(0x40000083, 0),        /* no message page any more */
	WRITE(0x40000021, 0x1001),   /* REFERENCE_TSC: 1000h */
	0xa0, 0x00, 0x10, 0xa2, 0xf4, 0x05, /* mov al, [1000h]; mov [5f4h], al: its sequence */
	WRITE(0x10, 5),              /* IA32_TSC */
	0xa0, 0x00, 0x10, 0xa2, 0xf5, 0x05,
	WRITE(0x40000021, 0),
	0xa0, 0x00, 0x10, 0xa2, 0xf3, 0x05, /* mov al, [1000h]; mov [5f3h], al */
	0xf4, 0xeb, 0xfd,
};
static const unsigned char handler[] = {
	0xa0, 0x00, 0x12, 0xa2, 0xf2, 0x05, /* mov al, [1200h]; mov [5f2h], al: the message's type */
	0x66, 0x31, 0xc0, 0x66, 0xa3, 0x00, 0x12, /* the slot is free */
	0xfe, 0x06, 0xf0, 0x05, 0x66, 0x31, 0xd2,
	0x89, 0xe5, 0x80, 0x66, 0x05, 0xfd, /* mov bp, sp; and byte [bp + 5], fdh: back without IF, so one message a round, late or not */
	0x66, 0xb9, WORD(0x40000084), 0x0f, 0x30, /* EOM */
	0x66, 0xb9, WORD(0x40000070), 0x0f, 0x30, /* EOI */
	0xcf,
};

int main(void)
{
	struct mshv_create_partition create = { .pt_flags = MSHV_PT_LAPIC };
	unsigned char *memory = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile unsigned char *seen = memory;
	int partition = ioctl(open_device(), MSHV_CREATE_PARTITION, &create);
	pthread_t thread;
	int vp;

	memcpy(memory + 2 * 4096 + 0xff0, reset, sizeof(reset));
	memcpy(memory + 0x600, code, sizeof(code));
	memcpy(memory + 0x700, handler, sizeof(handler));
	memory[0x1000] = BELOW;
	memory[0x1200] = BELOW;
	memory[4 * VECTOR + 1] = 0x07;
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	show("low", give_memory(partition, memory, 2 * 4096, 0));
	show("high", give_memory(partition, memory + 2 * 4096, 4096, 0xfffff));
	vp = create_vp(partition, 0);
	pthread_create(&thread, NULL, run_to_the_end, &vp);
	for (int waited = 0; seen[BELOW_AT] == 0 && waited < 10000; waited++)
		usleep(1000);
	printf("count=%d type=%x used=%d unused=%d below=%x untouched=%x\n", seen[COUNT_AT], seen[TYPE_AT], seen[USED_AT] != 0,
	       seen[UNUSED_AT] == 0, seen[BELOW_AT], seen[0x1200]);
	fflush(stdout);
	_exit(0);
}

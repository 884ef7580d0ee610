/* A guest takes interrupts: one that waited for STI, one in its sleep, one while it runs, and one that a level holds, whose
 * end is told by another eventfd; then one by a call. It never leaves MSHV_RUN_VP. */
#include "common.h"
#include <pthread.h>
#include <sys/eventfd.h>

struct irqfd {
	int32_t fd, resamplefd;
	uint32_t gsi, flags;
};
#define MSHV_IRQFD 0x4010b803
#define MSHV_SET_MSI_ROUTING 0x4008b805
#define HVCALL_ASSERT_VIRTUAL_INTERRUPT 0x94
#define VECTOR 0x41
#define LEVEL_VECTOR 0x42
#define IRQFD_RESAMPLE 2
#define COUNT_AT 0x5f0
/* What it counts between its sleeps, once it is through. */
#define BETWEEN_AT 0x5f2

/* jmp 0:600h */
static const unsigned char reset[] = { 0xea, 0x00, 0x06, 0x00, 0x00 };
/* xor ax, ax; mov ss, ax; mov ds, ax; mov sp, 600h; sti; hlt; inc bx; hlt; inc bx; mov [5f2h], bl; again: jmp again */
static const unsigned char code[] = {
	0x31, 0xc0, 0x8e, 0xd0, 0x8e, 0xd8, 0xbc, 0x00, 0x06, 0xfb, 0xf4, 0x43, 0xf4, 0x43, 0x88, 0x1e, 0xf2, 0x05, 0xeb, 0xfe,
};
/* inc byte [5f0h]; mov ecx, HV_X64_MSR_EOI; xor eax, eax; xor edx, edx; wrmsr; iret */
static const unsigned char handler[] = {
	0xfe, 0x06, 0xf0, 0x05, 0x66, 0xb9, 0x70, 0x00, 0x00, 0x40, 0x66, 0x31, 0xc0, 0x66, 0x31, 0xd2, 0x0f, 0x30, 0xcf,
};

int main(void)
{
	struct mshv_create_partition create = { .pt_flags = MSHV_PT_LAPIC };
	/* Two routes to processor 0: line 4, and the line of that number for a level-triggered vector. */
	uint32_t routing[] = { 2, 0, 4, 0xfee00000, 0, VECTOR, LEVEL_VECTOR, 0xfee00000, 0, 0x8000 | LEVEL_VECTOR };
	unsigned char *memory = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile unsigned char *count = memory + COUNT_AT;
	int partition = ioctl(open_device(), MSHV_CREATE_PARTITION, &create);
	struct irqfd irqfd = { .fd = eventfd(0, EFD_NONBLOCK), .gsi = 4 };
	struct irqfd level = {
		.fd = eventfd(0, EFD_NONBLOCK),
		.resamplefd = eventfd(0, 0),
		.gsi = LEVEL_VECTOR,
		.flags = IRQFD_RESAMPLE,
	};
	/* Fixed, to the APIC with id 0. */
	struct {
		uint64_t partition_id, control, destination;
		uint32_t vector, target_vtl;
	} interrupt = { .vector = VECTOR };
	struct mshv_root_hvcall call = {
		.code = HVCALL_ASSERT_VIRTUAL_INTERRUPT,
		.in_sz = sizeof(interrupt),
		.in_ptr = (uintptr_t)&interrupt,
	};
	eventfd_t ended = 0;
	pthread_t thread;
	int vp;

	memcpy(memory + 4096 + 0xff0, reset, sizeof(reset));
	memcpy(memory + 0x600, code, sizeof(code));
	memcpy(memory + 0x700, handler, sizeof(handler));
	memory[4 * VECTOR + 1] = 0x07;
	memory[4 * LEVEL_VECTOR + 1] = 0x07;
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	show("low", give_memory(partition, memory, 4096, 0));
	show("high", give_memory(partition, memory + 4096, 4096, 0xfffff));
	vp = create_vp(partition, 0);
	show("routing", ioctl(partition, MSHV_SET_MSI_ROUTING, routing));
	show("irqfd", ioctl(partition, MSHV_IRQFD, &irqfd));
	show("level", ioctl(partition, MSHV_IRQFD, &level));
	for (int round = 1; round <= 3; round++) {
		show("signal", eventfd_write(irqfd.fd, 1));
		if (round == 1)
			pthread_create(&thread, NULL, run_to_the_end, &vp);
		for (int waited = 0; *count < round && waited < 10000; waited++)
			usleep(1000);
		printf("taken=%d\n", *count);
		fflush(stdout);
		/* Long enough to be asleep, or in a thread of its own. */
		usleep(100000);
	}
	printf("between=%d\n", memory[BETWEEN_AT]);
	show("signal", eventfd_write(level.fd, 1));
	/* Waits until the guest has ended it. */
	show("ended", eventfd_read(level.resamplefd, &ended));
	printf("times=%d taken=%d\n", (int)ended, *count);
	show("assert", ioctl(partition, MSHV_ROOT_HVCALL, &call));
	for (int waited = 0; *count < 5 && waited < 10000; waited++)
		usleep(1000);
	printf("taken=%d\n", *count);
	fflush(stdout);
	_exit(0);
}

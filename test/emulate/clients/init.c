/* A VP that runs in another thread is reset by an INIT that the program asserts, or that comes through an eventfd, and started elsewhere by a SIPI. */
#include "common.h"
#include <pthread.h>
#include <sys/eventfd.h>

#define HVCALL_ASSERT_VIRTUAL_INTERRUPT 0x94
#define TYPE_INIT 5
#define TYPE_SIPI 6
#define COUNT_AT 0x5f2
#define STARTED_AT 0x5f4
#define RESET_RIP 0xfff0
#define MSHV_IRQFD 0x4010b803
#define MSHV_SET_MSI_ROUTING 0x4008b805

/* xor ax, ax; mov ds, ax; again: inc word [5f2h]; inc ax; jmp again */
static const unsigned char counts[] = { 0x31, 0xc0, 0x8e, 0xd8, 0xff, 0x06, 0xf2, 0x05, 0x40, 0xeb, 0xf9 };
/* xor ax, ax; mov ds, ax; inc byte [5f4h]; cli; hlt */
static const unsigned char starts[] = { 0x31, 0xc0, 0x8e, 0xd8, 0xfe, 0x06, 0xf4, 0x05, 0xfa, 0xf4 };

/* To the APIC with id 1. */
static long assert_interrupt(int partition, uint32_t type, uint32_t vector)
{
	struct {
		uint64_t partition_id, control, destination;
		uint32_t vector, target_vtl;
	} interrupt = { .control = type, .destination = 1, .vector = vector };
	struct mshv_root_hvcall call = {
		.code = HVCALL_ASSERT_VIRTUAL_INTERRUPT,
		.in_sz = sizeof(interrupt),
		.in_ptr = (uintptr_t)&interrupt,
	};

	return ioctl(partition, MSHV_ROOT_HVCALL, &call);
}

static uint64_t register_of(int vp, uint32_t name)
{
	struct {
		uint64_t partition_id;
		uint32_t index, vtl, name;
	} input = { .index = 1, .name = name };
	uint64_t value[2] = { 0 };
	struct mshv_root_hvcall call = {
		.code = HVCALL_GET_VP_REGISTERS,
		.reps = 1,
		.in_sz = 20,
		.out_sz = 16,
		.in_ptr = (uintptr_t)&input,
		.out_ptr = (uintptr_t)value,
	};

	return ioctl(vp, MSHV_ROOT_HVCALL, &call) < 0 ? 0 : value[0];
}

static int changes(volatile unsigned short *count, int within_ms)
{
	unsigned short before = *count;

	for (int waited = 0; *count == before && waited < within_ms; waited++)
		usleep(1000);
	return *count != before;
}

int main(void)
{
	struct mshv_create_partition create = { .pt_flags = MSHV_PT_LAPIC };
	unsigned char *memory = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	volatile unsigned short *count = (void *)(memory + COUNT_AT);
	volatile unsigned char *started = memory + STARTED_AT;
	int partition = ioctl(open_device(), MSHV_CREATE_PARTITION, &create), vp, waited;
	uint32_t routing[] = { 1, 0, 4, 0xfee01000, 0, TYPE_INIT << 8 };
	struct { int32_t fd, resamplefd; uint32_t gsi, flags; } irqfd = { .fd = eventfd(0, 0), .gsi = 4 };
	pthread_t thread;

	memcpy(memory + 0x1000, counts, sizeof(counts));
	memcpy(memory + 0x2000, starts, sizeof(starts));
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	show("memory", give_memory(partition, memory, 3 * 4096, 0));
	create_vp(partition, 0);
	vp = create_vp(partition, 1);
	pthread_create(&thread, NULL, run_to_the_end, &vp);
	show("init", assert_interrupt(partition, TYPE_INIT, 0));
	show("sipi", assert_interrupt(partition, TYPE_SIPI, 1));
	for (waited = 0; *count == 0 && waited < 10000; waited++)
		usleep(1000);
	printf("counts=%d\n", changes(count, 10000));
	/* Line 4: an INIT to APIC 1. What runs when it comes is stopped, wherever it is. */
	show("routing", ioctl(partition, MSHV_SET_MSI_ROUTING, routing));
	show("irqfd", ioctl(partition, MSHV_IRQFD, &irqfd));
	eventfd_write(irqfd.fd, 1);
	for (waited = 0; register_of(vp, HV_REGISTER_RIP) != RESET_RIP && waited < 1000; waited++)
		usleep(10000);
	printf("rip=%d rax=%d stopped=%d\n", register_of(vp, HV_REGISTER_RIP) == RESET_RIP, (int)register_of(vp, HV_REGISTER_RAX),
	       !changes(count, 100));
	show("sipi", assert_interrupt(partition, TYPE_SIPI, 1));
	printf("counts=%d\n", changes(count, 10000));
	show("init-again", assert_interrupt(partition, TYPE_INIT, 0));
	printf("rip=%d stopped=%d\n", register_of(vp, HV_REGISTER_RIP) == RESET_RIP, !changes(count, 100));
	show("sipi-again", assert_interrupt(partition, TYPE_SIPI, 2));
	for (waited = 0; *started == 0 && waited < 10000; waited++)
		usleep(1000);
	printf("started=%d stopped=%d\n", *started, !changes(count, 100));
	fflush(stdout);
	_exit(0);
}

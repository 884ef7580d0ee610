/* Interrupts and doorbells by eventfds; where none is, EBADF and EINVAL; which pages were touched. */
#include "common.h"
#include <poll.h>
#include <sys/eventfd.h>

struct irqfd {
	int32_t fd, resamplefd;
	uint32_t gsi, flags;
};
struct ioeventfd {
	uint64_t datamatch, addr;
	uint32_t len;
	int32_t fd;
	uint32_t flags;
	uint8_t rsvd[4];
};
struct access_bitmap {
	uint8_t access_type, access_op, rsvd[6];
	uint64_t page_count, gpap_base, bitmap_ptr;
};
#define MSHV_IRQFD 0x4010b803
#define MSHV_IOEVENTFD 0x4020b804
#define MSHV_SET_MSI_ROUTING 0x4008b805
#define MSHV_GET_GPAP_ACCESS_BITMAP 0xc020b806
#define DATAMATCH 1
#define DEASSIGN_IOEVENTFD 4
#define DEASSIGN_IRQFD 1

/* From the reset vector to the start of the page; then 7 to d0000h, 8 to d0004h, and the end. */
static const unsigned char reset[] = { 0xe9, 0x0d, 0xf0 };
static const unsigned char code[] = {
	0xb8, 0x00, 0xd0, 0x8e, 0xc0,
	0x66, 0xb8, 7, 0, 0, 0, 0x66, 0x26, 0xa3, 0x00, 0x00,
	0x66, 0xb8, 8, 0, 0, 0, 0x66, 0x26, 0xa3, 0x04, 0x00,
	0xf4,
};

static unsigned long long taken(int fd)
{
	eventfd_t value = 0;

	return eventfd_read(fd, &value) == 0 ? value : 0;
}

int main(void)
{
	struct mshv_user_mem_region region = {
		.size = 4096,
		.guest_pfn = 0xfffff,
		.flags = MSHV_MEM_WRITABLE | MSHV_MEM_EXECUTABLE,
	};
	/* One route: line 4, vector 41h, processor 0. */
	uint32_t routing[] = { 1, 0, 4, 0xfee00000, 0, 0x41 };
	unsigned char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int partition = create_partition(open_device());
	int line = eventfd(0, EFD_NONBLOCK), bell = eventfd(0, EFD_NONBLOCK), file = open("/dev/null", O_RDWR);
	struct irqfd irqfd = { .fd = line, .gsi = 4 };
	struct ioeventfd ring = { .datamatch = 7, .addr = 0xd0000, .len = 4, .fd = bell, .flags = DATAMATCH };
	unsigned char bits[2] = { 0xff, 0xff };
	struct access_bitmap dirty = { .access_type = 1, .access_op = 1, .page_count = 10, .gpap_base = 0xffff8 };
	struct pollfd pending = { .fd = line, .events = POLLIN };
	struct hv_message message;
	int vp;

	memcpy(memory + 0xff0, reset, sizeof(reset));
	memcpy(memory, code, sizeof(code));
	region.userspace_addr = (uintptr_t)memory;
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	ioctl(partition, MSHV_SET_GUEST_MEMORY, &region);
	vp = create_vp(partition, 0);
	show("routing", ioctl(partition, MSHV_SET_MSI_ROUTING, routing));
	show("irqfd", ioctl(partition, MSHV_IRQFD, &irqfd));
	irqfd.gsi = 5;
	show("irqfd-again", ioctl(partition, MSHV_IRQFD, &irqfd));
	irqfd.fd = 700;
	show("irqfd-closed", ioctl(partition, MSHV_IRQFD, &irqfd));
	/* What the driver says of the argument comes before the descriptor. */
	irqfd.flags |= 0x80;
	show("irqfd-flags", ioctl(partition, MSHV_IRQFD, &irqfd));
	irqfd.flags &= ~0x80u;
	irqfd.fd = file;
	show("irqfd-file", ioctl(partition, MSHV_IRQFD, &irqfd));
	show("doorbell", ioctl(partition, MSHV_IOEVENTFD, &ring));
	show("doorbell-again", ioctl(partition, MSHV_IOEVENTFD, &ring));
	eventfd_write(line, 3);
	while (poll(&pending, 1, 10) > 0)
		;
	ioctl(vp, MSHV_RUN_VP, &message);
	printf("rung=%llu\nmessage=%x\n", taken(bell), message.type);
	printf("line=%llu\n", taken(line));
	dirty.bitmap_ptr = (uintptr_t)bits;
	show("bitmap", ioctl(partition, MSHV_GET_GPAP_ACCESS_BITMAP, &dirty));
	printf("dirty=%x\n", bits[0] | bits[1] << 8);
	dirty.page_count = 0;
	show("bitmap-empty", ioctl(partition, MSHV_GET_GPAP_ACCESS_BITMAP, &dirty));
	ring.flags |= DEASSIGN_IOEVENTFD;
	show("doorbell-gone", ioctl(partition, MSHV_IOEVENTFD, &ring));
	show("doorbell-none", ioctl(partition, MSHV_IOEVENTFD, &ring));
	irqfd.fd = line;
	irqfd.gsi = 4;
	irqfd.flags = DEASSIGN_IRQFD;
	show("irqfd-gone", ioctl(partition, MSHV_IRQFD, &irqfd));
	return 0;
}

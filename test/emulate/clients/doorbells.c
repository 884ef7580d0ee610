/* What of a guest's writes rings which eventfd: one value, any value, any size; after the end of a doorbell its writes stop the VP. */
#include "common.h"
#include <sys/eventfd.h>

struct ioeventfd {
	uint64_t datamatch, addr;
	uint32_t len;
	int32_t fd;
	uint32_t flags;
	uint8_t rsvd[4];
};
#define MSHV_IOEVENTFD 0x4020b804
#define DATAMATCH 1
#define PIO 2
#define DEASSIGN 4

/* From the reset vector to the start of the page. */
static const unsigned char reset[] = { 0xe9, 0x0d, 0xf0 };
static const unsigned char code[] = {
	0xb8, 0x00, 0xd0, 0x8e, 0xc0,       /* es = d000h */
	0x66, 0xb8, 7, 0, 0, 0,             /* eax = 7 */
	0x66, 0x26, 0xa3, 0x00, 0x00,       /* dword 7 to d0000h: the value that is waited for */
	0x66, 0x26, 0xa3, 0x10, 0x00,       /* to d0010h: any value of that size */
	0x40,                               /* 8 */
	0x66, 0x26, 0xa3, 0x10, 0x00,
	0x26, 0xa2, 0x20, 0x00,             /* byte, word and dword to d0020h: any size */
	0x26, 0xa3, 0x20, 0x00,
	0x66, 0x26, 0xa3, 0x20, 0x00,
	0x26, 0xa3, 0x10, 0x00,             /* a word to d0010h: not that size */
	0xf4,
};

static unsigned long long taken(int fd)
{
	eventfd_t value = 0;

	return eventfd_read(fd, &value) == 0 ? value : 0;
}

static void run(const char *name, int vp)
{
	struct hv_message message = { 0 };
	uint64_t gpa = 0;

	ioctl(vp, MSHV_RUN_VP, &message);
	memcpy(&gpa, (char *)&message + 16 + 56, sizeof(gpa));
	printf("%s=%x at %llx\n", name, message.type, (unsigned long long)gpa);
}

int main(void)
{
	unsigned char *memory = new_page(MAP_PRIVATE);
	int partition = create_partition(open_device());
	struct ioeventfd one = { .datamatch = 7, .addr = 0xd0000, .len = 4, .flags = DATAMATCH };
	struct ioeventfd value = { .addr = 0xd0010, .len = 4 }, size = { .addr = 0xd0020 }, port = { .addr = 0x60, .len = 1 };
	int vp;

	memcpy(memory, code, sizeof(code));
	vp = boot(partition, memory, reset, sizeof(reset));
	port.flags = PIO;
	one.fd = eventfd(0, EFD_NONBLOCK);
	value.fd = eventfd(0, EFD_NONBLOCK);
	port.fd = size.fd = eventfd(0, EFD_NONBLOCK);
	show("one", ioctl(partition, MSHV_IOEVENTFD, &one));
	show("value", ioctl(partition, MSHV_IOEVENTFD, &value));
	show("size", ioctl(partition, MSHV_IOEVENTFD, &size));
	show("port", ioctl(partition, MSHV_IOEVENTFD, &port));
	run("word", vp);
	printf("rung=%llu %llu %llu\n", taken(one.fd), taken(value.fd), taken(size.fd));
	value.flags = DEASSIGN;
	show("gone", ioctl(partition, MSHV_IOEVENTFD, &value));
	show("none", ioctl(partition, MSHV_IOEVENTFD, &value));
	return 0;
}

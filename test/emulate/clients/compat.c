/* Calls as a 32-bit program makes them, by int 80h: pointers have to be below 4 GiB. And rings, which would bypass the filter. */
#include "common.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

static long call32(long nr, long a, long b, long c)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
	if (result < 0) {
		errno = -result;
		return -1;
	}
	return result;
}

int main(void)
{
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	struct mshv_create_partition *create = (void *)(low + 64);
	struct pollfd wait;
	struct epoll_event event = { .events = EPOLLIN };
	int device, copy, polled;

	strcpy(low, "/dev/mshv");
	device = show("open", call32(5, (long)low, O_RDWR, 0));
	show("openat", call32(295, AT_FDCWD, (long)low, O_RDWR));
	show("access", call32(33, (long)low, R_OK, 0));
	/* The drivers have no entry for them. */
	show("ioctl", call32(54, device, MSHV_CREATE_PARTITION, (long)create));
	copy = show("dup", call32(41, device, 0, 0));
	show("fcntl", call32(221, device, F_DUPFD, 0));
	show("close", call32(6, device, 0, 0));
	show("closed", ioctl(device, MSHV_CREATE_PARTITION, create));
	show("copy", ioctl(copy, MSHV_CREATE_PARTITION, create));
	show("close-range", call32(436, copy, copy, 0));
	show("range-closed", ioctl(copy, MSHV_CREATE_PARTITION, create));

	show("ring", syscall(425, 8, low));
	show("ring-enter", syscall(426, device, 0, 0, 0, NULL, 0));
	show("ring-32", call32(425, 8, (long)low, 0));

	/* Files without a poll of their own are always ready, and epoll refuses them. */
	device = open_device();
	wait = (struct pollfd){ .fd = device, .events = POLLIN | POLLOUT };
	show("poll", poll(&wait, 1, 0) == 1 && wait.revents == (POLLIN | POLLOUT) ? 0 : -1);
	polled = epoll_create1(EPOLL_CLOEXEC);
	show("epoll", epoll_ctl(polled, EPOLL_CTL_ADD, device, &event));
	show("read", read(device, low, 1));
	show("write", write(device, low, 1));
	show("truncate", ftruncate(device, 0));
	device = create_partition(device);
	ioctl(device, MSHV_INITIALIZE_PARTITION);
	show("truncate-vp", ftruncate(create_vp(device, 0), 0));
	/* Outside the numbers that the device has. */
	show("dup2", dup2(create_vp(device, 1), 40));
	show("truncate-40", ftruncate(40, 0));
	show("run", ioctl(40, MSHV_RUN_VP, NULL));
	return 0;
}

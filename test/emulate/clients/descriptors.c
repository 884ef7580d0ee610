/* Descriptors of the device: opened in every way, duplicated, closed twice, put on other numbers. */
#include "common.h"
#include <sys/syscall.h>
#include <linux/openat2.h>

int main(void)
{
	struct open_how how = { .flags = O_RDWR };
	int device = show("open", open_device());
	int again = show("openat2", syscall(SYS_openat2, AT_FDCWD, "/dev/mshv", &how, sizeof(how)));
	int dir = open("/dev", O_PATH | O_DIRECTORY);
	int relative = show("openat", openat(dir, "mshv", O_RDWR));
	int partition, vp, copy;

	show("exclusive", open("/dev/mshv", O_RDWR | O_CREAT | O_EXCL, 0600));
	show("directory", open("/dev/mshv", O_RDONLY | O_DIRECTORY));
	show("other", open("/dev/null", O_RDWR));
	show("missing", open("/dev/mshv-not-there", O_RDWR));
	close(again);
	close(relative);
	partition = show("partition", create_partition(device));
	show("initialize", ioctl(partition, MSHV_INITIALIZE_PARTITION));
	vp = show("vp", create_vp(partition, 0));
	copy = show("dup", dup(vp));
	show("close", close(vp));
	show("close-again", close(vp));
	show("use-closed", ioctl(vp, MSHV_RUN_VP, NULL));
	/* The copy keeps the VP: its index is taken. */
	show("index-taken", create_vp(partition, 0));
	show("dup3-invalid", dup3(copy, copy, 0));
	show("dup2", dup2(partition, 40));
	show("through-dup2", ioctl(40, MSHV_INITIALIZE_PARTITION));
	show("fcntl", fcntl(partition, F_DUPFD_CLOEXEC, 0));
	show("close-range", close_range(partition, partition, 0));
	show("kept-by-dup2", create_vp(40, 1));
	show("close-40", close(40));
	show("closed-40", create_vp(40, 2));
	return 0;
}

/* Looks at the device without opening it, opens its name alone, unmaps what it mapped. */
#include "common.h"
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define VALID_RESOLVE_BENEATH 8

static void kind(const char *name, mode_t mode, unsigned major_number)
{
	printf("%s=%s,%o,%u\n", name, S_ISCHR(mode) ? "chr" : S_ISREG(mode) ? "reg" : "none", mode & 0777, major_number);
	fflush(stdout);
}

static void look(const char *name, int result, const struct stat *status)
{
	if (result < 0)
		show(name, result);
	else
		kind(name, status->st_mode, major(status->st_rdev));
}

static int open_how(uint64_t flags, uint64_t mode, uint64_t resolve, size_t size)
{
	struct open_how how = { .flags = flags, .mode = mode, .resolve = resolve };

	return (int)syscall(SYS_openat2, AT_FDCWD, "/dev/mshv", &how, size);
}

int main(void)
{
	struct stat status;
	struct statx extended;
	int folder = open("/dev", O_PATH | O_DIRECTORY);
	int name = open("/dev/mshv", O_PATH), device = open_device();
	int partition = create_partition(device), vp;
	char *page, *range;

	look("stat", stat("/dev/mshv", &status), &status);
	look("lstat", lstat("/dev//mshv", &status), &status);
	look("fstatat", fstatat(folder, "mshv", &status, 0), &status);
	look("fstat-device", fstat(device, &status), &status);
	look("fstat-partition", fstat(partition, &status), &status);
	look("stat-old", (int)syscall(SYS_stat, "/dev/mshv", &status), &status);
	show("stat-nowhere", (int)syscall(SYS_newfstatat, AT_FDCWD, "/dev/mshv", (void *)0x10, 0));
	look("stat-missing", stat("/dev/mshv2", &status), &status);
	look("stat-null", stat("/dev/null", &status), &status);
	if (show("statx", statx(AT_FDCWD, "/dev/mshv", 0, STATX_BASIC_STATS, &extended)) == 0)
		kind("statx-kind", extended.stx_mode, extended.stx_rdev_major);
	show("access", access("/dev/mshv", F_OK));
	show("access-read-write", access("/dev/mshv", R_OK | W_OK));
	show("access-execute", access("/dev/mshv", X_OK));
	show("access-mode", access("/dev/mshv", 8));
	show("faccessat", (int)syscall(SYS_faccessat, folder, "mshv", R_OK));
	show("faccessat2", (int)syscall(439, AT_FDCWD, "/dev/mshv", R_OK, AT_EACCESS));
	show("access-missing", access("/dev/mshv2", F_OK));
	show("name", name);
	look("name-stat", fstat(name, &status), &status);
	show("name-ioctl", ioctl(name, MSHV_CREATE_PARTITION, &status));
	show("name-map", mmap(NULL, 4096, PROT_READ, MAP_SHARED, name, 0) == MAP_FAILED ? -1 : 0);
	show("name-copy", dup(name));
	show("name-close", close(name));
	show("direct", open("/dev/mshv", O_RDWR | O_DIRECT));
	show("creat", creat("/dev/mshv", 0600));
	show("how", open_how(O_RDWR, 0, 0, sizeof(struct open_how)));
	show("how-short", open_how(O_RDWR, 0, 0, 16));
	show("how-long", open_how(O_RDWR, 0, 0, 8192));
	show("how-mode", open_how(O_RDWR, 0600, 0, sizeof(struct open_how)));
	show("how-flags", open_how(1ull << 40, 0, 0, sizeof(struct open_how)));
	show("how-beneath", open_how(O_RDWR, 0, VALID_RESOLVE_BENEATH, sizeof(struct open_how)));
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	vp = create_vp(partition, 0);
	page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, vp, 4096);
	show("unmap", munmap(page, 4096));
	/* A page in the middle of a range that is larger than all that a VP has, with a hole behind it. */
	range = mmap(NULL, 16 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mmap(range + 4 * 4096, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, vp, 0);
	munmap(range + 8 * 4096, 4096);
	show("unmap-range", munmap(range, 16 * 4096));
	show("unmap-other", munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096));
	return 0;
}

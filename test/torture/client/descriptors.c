/* Descriptors: opened in every way, copied, closed, sent, mapped, waited for. */
#include "torture.h"

int pool[POOL];

int some_fd(struct self *self)
{
	if (one_in(self, 12))
		return one_in(self, 2) ? -1 : 900 + (int)below(self, 60);
	return __atomic_load_n(&pool[below(self, POOL)], __ATOMIC_RELAXED);
}

/* Puts a descriptor among those in use; the one that it pushes out is closed, or left open for once. */
void keep(struct self *self, int fd)
{
	int before;

	if (fd < 0)
		return;
	before = __atomic_exchange_n(&pool[below(self, POOL)], fd, __ATOMIC_RELAXED);
	if (before > 2)
		close(before);
}

int open_some(struct self *self)
{
	static const int flags[] = { O_RDWR, O_RDONLY, O_WRONLY, O_RDWR | O_CLOEXEC, O_RDWR | O_NONBLOCK, O_RDWR | O_CREAT,
				     O_RDWR | O_CREAT | O_EXCL, O_RDWR | O_DIRECTORY, O_RDWR | O_TRUNC, O_RDWR | O_NOFOLLOW,
				     O_RDWR | O_DIRECT, O_PATH };
	int flag = flags[below(self, sizeof(flags) / sizeof(*flags))];
	uint64_t how[3] = { flag, (flag & O_CREAT) ? 0600 : 0, 0 };

	__atomic_add_fetch(&self->count->opens, flag == O_PATH ? 0 : 1, __ATOMIC_RELAXED);
	switch (below(self, 4)) {
	case 0:
		return syscall(SYS_open, "/dev/mshv", flag, 0600);
	case 1:
		return syscall(SYS_openat, AT_FDCWD, "/dev/mshv", flag, 0600);
	case 2:
		return syscall(SYS_openat2, AT_FDCWD, "/dev/mshv", how, sizeof(how));
	default:
		if (flag == O_PATH)
			return syscall(SYS_open, "/dev/mshv", flag, 0600);
		return one_in(self, 3) ? syscall(SYS_creat, "/dev/mshv", 0600) : syscall(SYS_open, "/dev/mshv", flag, 0600);
	}
}

static int send_and_receive(int fd)
{
	char byte = 0, space[CMSG_SPACE(sizeof(int))];
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space) };
	struct cmsghdr *control = CMSG_FIRSTHDR(&message);
	int ends[2], received = -1;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		return -1;
	memset(space, 0, sizeof(space));
	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_RIGHTS;
	control->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(control), &fd, sizeof(int));
	if (sendmsg(ends[0], &message, MSG_DONTWAIT) == 1 && recvmsg(ends[1], &message, MSG_DONTWAIT) == 1 &&
	    (control = CMSG_FIRSTHDR(&message)) && control->cmsg_type == SCM_RIGHTS)
		memcpy(&received, CMSG_DATA(control), sizeof(int));
	close(ends[0]);
	close(ends[1]);
	return received;
}

static void map_some(struct self *self, int fd)
{
	size_t size = PAGE * (1 + below(self, 3));
	uint8_t *at = mmap(NULL, size, PROT_READ | PROT_WRITE, one_in(self, 4) ? MAP_PRIVATE : MAP_SHARED, fd, PAGE * below(self, 4));

	if (at == MAP_FAILED)
		return;
	if (one_in(self, 3)) {
		uint8_t *moved = mremap(at, size, size, MREMAP_MAYMOVE);

		if (moved != MAP_FAILED)
			at = moved;
	}
	if (one_in(self, 3))
		mmap(at, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	munmap(at, size);
}

void use_descriptor(struct self *self)
{
	int fd = some_fd(self), polled;
	struct epoll_event event = { .events = EPOLLIN };
	struct pollfd wait = { .fd = fd, .events = POLLIN | POLLOUT };
	struct stat status;

	switch (below(self, 14)) {
	case 0:
		keep(self, dup(fd));
		break;
	case 1:
		keep(self, syscall(SYS_dup2, fd, 900 + below(self, 40)));
		break;
	case 2:
		keep(self, dup3(fd, 40 + below(self, 40), one_in(self, 2) ? O_CLOEXEC : 0));
		break;
	case 3:
		keep(self, fcntl(fd, one_in(self, 2) ? F_DUPFD : F_DUPFD_CLOEXEC, (int)below(self, 1000)));
		break;
	case 4:
		fcntl(fd, F_SETFD, fcntl(fd, F_GETFD) ^ FD_CLOEXEC);
		break;
	case 5:
		if (fd > 2)
			close(fd);
		break;
	case 6:
		syscall(SYS_close_range, 910 + below(self, 40), 915 + below(self, 40), 4 * below(self, 2));
		break;
	case 7:
		poll(&wait, 1, 0);
		break;
	case 8:
		polled = epoll_create1(EPOLL_CLOEXEC);
		epoll_ctl(polled, EPOLL_CTL_ADD, fd, &event);
		epoll_wait(polled, &event, 1, 0);
		close(polled);
		break;
	case 9:
		keep(self, send_and_receive(fd));
		break;
	case 10:
		fstat(fd, &status);
		stat("/dev/mshv", &status);
		access("/dev/mshv", below(self, 8));
		break;
	case 11:
		keep(self, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
		break;
	default:
		map_some(self, fd);
	}
}

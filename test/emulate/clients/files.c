/* A program without a number left for a descriptor of the device: no partition, no VP; one that came over a socket can be used. */
#include "common.h"
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void limit(int most)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = most;
	show("limit", setrlimit(RLIMIT_NOFILE, &files));
}

static int received(int socket)
{
	char byte, space[CMSG_SPACE(sizeof(int))];
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)
	};

	if (recvmsg(socket, &message, 0) != 1)
		return -1;
	return *(int *)CMSG_DATA(CMSG_FIRSTHDR(&message));
}

static void pass(int socket, int fd)
{
	char byte = 0, space[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(int));
	sendmsg(socket, &message, 0);
}

int main(void)
{
	int pair[2], status, device = open_device(), partition, last;
	uint32_t too_many = 100000;

	partition = create_partition(device);
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	last = create_vp(partition, 0);
	limit(last + 1);
	show("partition", create_partition(device));
	show("vp", create_vp(partition, 1));
	show("index", ioctl(partition, MSHV_CREATE_VP, &too_many));
	show("open", open_device());
	limit(last + 2);
	last = show("vp", create_vp(partition, 1)) < 0 ? -1 : last;
	/* The numbers between are free again, the highest is not. */
	close(partition);
	show("partition", create_partition(device));

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	fflush(stdout);
	if (fork() == 0) {
		close_range(device, ~0U, 0);
		partition = create_partition(received(pair[0]));
		show("received", partition);
		show("initialize", ioctl(partition, MSHV_INITIALIZE_PARTITION));
		show("vp", create_vp(partition, 0));
		_exit(0);
	}
	pass(pair[1], device);
	wait(&status);
	return 0;
}
